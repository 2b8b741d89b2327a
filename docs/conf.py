"""The site: `make docs` builds it. Pages are Markdown and notebooks; each build makes the reference from the code."""

import ast
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tools import reference  # noqa: E402  (from the folder above)

NAMES = (
    ROOT / "build" / "names"
)  # a copy of the package whose names are not lazy, for autoapi, which reads and does not import
COLON = "\ue000"  # stands for one while napoleon reads
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT.get("urls", {}).get("Repository", "").removesuffix("/")
INTERNAL = ("shell", "api/progress", "parallel/compiler", "trained", "pictures")  # not what a notebook calls

project = "nst_jax"
author = "The nst_jax developers"
copyright = "the nst_jax developers, Apache-2.0"
version = release = reference.nst_jax.__version__

extensions = ["myst_nb", "autoapi.extension", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_static"]
suppress_warnings = ["autoapi.python_import_resolution"]  # jax and flax are not in the copy
nitpicky = False  # annotations name jax's and flax's classes; links between pages are checked without it
default_role = "code"  # docstrings write `name`
highlight_language = "none"

# Markdown
myst_enable_extensions = ["dollarmath", "amsmath", "attrs_inline", "deflist"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
myst_dmath_double_inline = True

# Notebooks: what they show is in the files, and tests/test_notebooks.py runs them and compares
nb_execution_mode = "off"
nb_merge_streams = True

# Docstrings
autoapi_dirs = [str(NAMES / "nst_jax")]
autoapi_root = "reference/api"
autoapi_add_toctree_entry = False
autoapi_keep_files = False
autoapi_member_order = "bysource"
autoapi_options = ["members", "show-module-summary", "imported-members"]
autoapi_python_class_content = "class"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

# The page
html_theme = "sphinx_book_theme"
html_title = "nst_jax"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "navbar_persistent": [],
    **({"repository_url": REPOSITORY, "use_repository_button": True} if REPOSITORY else {}),
}
copybutton_exclude = ".linenos, .gp, .go"


def copy_package(_app: Sphinx) -> None:
    """The package as autoapi is to read it: without the shell, and with plain imports where nst_jax hands out names."""
    shutil.rmtree(NAMES, ignore_errors=True)
    source = ROOT / "nst_jax"
    for file in source.rglob("*.py"):
        part = file.relative_to(source)
        if not part.as_posix().startswith(INTERNAL):
            (NAMES / "nst_jax" / part).parent.mkdir(parents=True, exist_ok=True)
            text = comments_as_docstrings(file.read_text(encoding="utf-8"), names=part.name == "types.py")
            (NAMES / "nst_jax" / part).write_text(text, encoding="utf-8")
    (NAMES / "nst_jax/__init__.py").write_text(reference.lazy_names(), encoding="utf-8")


def comments_as_docstrings(text: str, *, names: bool) -> str:
    """Python whose classes' fields have the comments behind them as docstrings, where the class does not explain them.

    names: whether those of the module's own names become docstrings, too.
    """
    lines, tree = text.splitlines(), ast.parse(text)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    bodies = [c.body for c in classes if "Attributes:" not in (ast.get_docstring(c) or "")]
    for body in [*bodies, *([tree.body] if names else [])]:
        for node in body:
            if isinstance(node, ast.Assign | ast.AnnAssign):
                code, _, said = lines[(node.end_lineno or 0) - 1].partition("  # ")
                indent = " " * node.col_offset
                lines[(node.end_lineno or 0) - 1] = f"{code}\n{indent}{said!r}" if said else code
    return "\n".join(lines) + "\n"


def keep_fields(_app: Sphinx, what: str, name: str, obj: Any, skip: bool, _options: Any) -> bool | None:
    """The fields of a class without a word of their own, and what nst_jax hands out, are in the reference as well."""
    handed_out = name in {f"nst_jax.{public}" for public in reference.nst_jax._WHERE}
    return False if handed_out or (what == "attribute" and not obj.is_private_member) else None


def write_reference(_app: Sphinx) -> None:
    """The pages that the code makes."""
    reference.write()


def follow_links(_app: Sphinx, name: str, source: list[str]) -> None:
    """Links out of docs/, which GitHub follows, as the site can: to the copy of the page, or to the repository."""

    def follow(match: re.Match[str]) -> str:
        target = os.path.normpath(Path("docs") / Path(name).parent / match[1])
        if target.startswith("docs/") or target == "docs":
            return match[0]
        for page, original in reference.COPIES.items():
            if original == target:
                return f"]({os.path.relpath(page, Path(name).parent)}{match[2] or ''})"
        notebook = Path(target)
        if notebook.parent.name == "notebooks":
            return f"]({os.path.relpath(Path('tutorials') / notebook.name, Path(name).parent)})"
        if not (ROOT / target).exists():
            raise SystemExit(f"docs/{name}: there is no {target}")
        return f"]({REPOSITORY or '..'}/blob/main/{target}{match[2] or ''})" if REPOSITORY else match[0]

    source[0] = re.sub(r"\]\((\.\.[^)#\s]*)(#[^)\s]*)?\)", follow, source[0])


class LargerPictures(SphinxTransform):
    """A picture that links to itself: to the one that the page shows anyway, not to a second copy among downloads."""

    default_priority = 200

    def apply(self, **_: Any) -> None:
        """Replace the links."""
        depth = self.env.docname.count("/")
        for link in list(self.document.findall(addnodes.download_reference)):
            picture, name = link.next_node(nodes.image), Path(link["reftarget"]).name
            if picture and Path(picture["uri"]).name == name:
                link.replace_self(nodes.reference("", "", *link.children, refuri=f"{'../' * depth}_images/{name}"))


def visit_math(self: Any, node: nodes.math | nodes.math_block) -> None:
    """An equation as MathML, which browsers draw themselves: no script, and nothing from elsewhere."""
    block = isinstance(node, nodes.math_block)
    text = node.astext()
    number = re.search(r"\\tag\{(\w+)\}", text)
    text = re.sub(r"\\tag\{\w+\}|\\[bB]igg?[lr]?(?=\W)", "", text)  # sizes of brackets: browsers choose them
    mathml = latex2mathml.tex2mathml(text, as_block=block)
    tag = f'<span class="equation-number">({number[1]})</span>' if number else ""
    self.body.append(f'<div class="equation">{mathml}{tag}</div>' if block else mathml)
    raise nodes.SkipNode


def hide_colons(_app: Sphinx, what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Before napoleon, which takes what stands before a colon for the type of an attribute."""
    if what in ("attribute", "data"):
        lines[:] = [line.replace(":", COLON) for line in lines]


def plain_docstring(_app: Sphinx, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """A docstring's text without what reStructuredText would take for markup: |x|, x* and the like."""
    for number, line in enumerate(lines):
        parts = re.split(r"(`[^`]*`)", line)
        parts = [p if p.startswith("`") else re.sub(r"(?<!\\)([*|])|_(?=\W|$)", r"\\\g<0>", p) for p in parts]
        lines[number] = "".join(parts).replace(COLON, ":")


def short_annotations(_app: Sphinx, tree: nodes.document, _name: str) -> None:
    """Annotations in signatures without the modules of their names: Float[Array, ...], Mapping, Image."""
    for signature in tree.findall(addnodes.desc_signature):
        for text in list(signature.findall(nodes.Text)):
            short = re.sub(r"\b(?:collections\.abc|typing|jaxtyping|jax|nst_jax(?:\.\w+)*)\.(?=[A-Z])", "", text)
            if short != text and text.parent is not None:
                text.parent.replace(text, nodes.Text(short))


def setup(app: Sphinx) -> dict[str, bool]:
    """What the build does beside Sphinx."""
    app.connect("builder-inited", copy_package, priority=1)
    app.connect("builder-inited", write_reference, priority=1)
    app.connect("source-read", follow_links)
    app.connect("autoapi-skip-member", keep_fields)
    app.connect("autodoc-process-docstring", hide_colons, priority=100)
    app.connect("autodoc-process-docstring", plain_docstring, priority=900)
    app.connect("doctree-resolved", short_annotations, priority=900)
    app.add_transform(LargerPictures)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


html_math_renderer = "mathml"
