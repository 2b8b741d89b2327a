"""Reports, drawn from plain files: tables, pages, contact sheets, curves, films, trackers."""
