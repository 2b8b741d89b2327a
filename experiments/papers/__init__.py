"""The papers' figures and ablations, a module each, with its settings in conf/experiment/NAME.yaml."""
