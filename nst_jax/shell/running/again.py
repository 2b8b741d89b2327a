"""A run that begins from a former one: the differences, and what cannot be had as it was."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import cache
from nst_jax.shell.io.pictures import expand
from nst_jax.shell.running import provenance
from nst_jax.shell.running.origin import Key, Origin, files_of, in_file
from nst_jax.shell.settings import again, config
from nst_jax.shell.settings.schema import Config

LOG = logging.getLogger(__name__)
HASH = 12  # letters of a hash that a message shows
WITH_WEIGHTS = ("network", "weights", "layers")  # what decides which weights are loaded


def look_at_files(origin: Origin, configs: Iterable[Config]) -> list[str]:
    """The former run's files that have other bytes now, among those that the settings still name. A line each.

    Raises:
      UserError: one is not there any more. It says which setting names it.
    """
    before = set(files_of(origin.former.settings))
    changed: dict[Key, str] = {}
    for key, name in dict.fromkeys(pair for c in configs for pair in files_of(config.plain(c)) if pair in before):
        path, known = expand(name), origin.hashes.get((key, name))
        if not path.is_file():
            if known is None and key == "style" and origin.is_model():
                continue  # one of the network's own styles, by name
            was = origin.record.get("directory")
            where = f" (seen from {was}, where that run was started)" if was and not path.is_absolute() else ""
            anew = f"{key}=FILE" if not isinstance(origin.former.settings.get(key), list) else f"{key}=[FILE,FILE]"
            raise UserError(f"from={origin.path}: {key}={name} is not there any more{where}: say where it is, {anew}")
        if known is not None and cache.sha256(path) != known:
            changed[key, name] = f"{key}={name} has other bytes than it had in that run"
    return list(changed.values())


def report(origin: Origin, configs: Sequence[Config], *, swept: Sequence[str] = ()) -> None:
    """Log what jobs have from a former run, and what not.

    Args:
      origin: the former run.
      configs: of the jobs.
      swept: the keys in which they differ.

    Raises:
      UserError: a picture of that run is gone.
    """
    changed = look_at_files(origin, configs)
    for line in describe(origin, configs[0], swept=swept):
        LOG.info(line)
    for line in changed:
        LOG.warning(line)


def describe(origin: Origin, now: Config, *, swept: Sequence[str] = ()) -> list[str]:
    """The repeated run, the differences, and the settings that are not taken over, a line each.

    swept: the keys of a sweep.
    """
    lines, former = [f"again: {origin.path}"], origin.former
    is_swept = lambda key: any(key == each or key.startswith(f"{each}.") for each in swept)
    changes = again.differences(former.settings, config.plain(now))
    chosen = {key.partition(".")[0] for key in changes if key.partition(".")[2] in again.NAMES}  # another option
    changes = {k: v for k, v in changes.items() if v[1] is not None or k.partition(".")[0] not in chosen}
    lines += [f"  {key}: {say(old)} -> {say(new)}" for key, (old, new) in changes.items() if not is_swept(key)]
    if len(lines) == 1 and not swept:
        lines.append("  with the settings that it had")
    if former.unknown:
        lines.append(f"  not known to this version, and left out: {', '.join(former.unknown)}")
    if former.absent and not origin.is_model():
        lines.append(f"  not in its record, and as they are by default: {', '.join(former.absent)}")
    if former.to and now.output.to is None:
        lines.append(f"  not taken over: output.to={former.to}; a new one: -o FILE")
    return lines + [f"  {line}" for line in describe_end(origin.record)]


def describe_end(record: Mapping[str, Any]) -> Iterable[str]:
    """How the former run ended and was computed, where another one with its settings gives something else."""
    if "files" not in record:
        yield "that run has no result: its pictures, weights and versions cannot be compared with those of now"
    elif not record.get("finished", True) and "steps" in record:
        yield f"that run ended after step {record['steps']}"
    if isinstance(lanes := record.get("width"), int) and lanes > 1:
        yield f"that run was one of {lanes} lanes of a program: in another one the last bits may be others"


def say(value: Any) -> str:
    """A value in words."""
    return "none" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)


def others(facts: Mapping[str, Any]) -> list[str]:
    """The differences from the former run in versions, device and weights, a line each.

    facts: of the run. Its `from` names the run that it repeats. The list is empty if that run's record is gone.
    """
    named = facts.get("from")
    if not isinstance(named, dict):
        return []
    try:
        path = Path(named["path"])
        if cache.sha256(path) != named["sha256"]:
            return []
        then = in_file(path, str(path))[1]
        return [*other_surroundings(then), *other_weights(then, facts)]
    except (OSError, LookupError, TypeError, AttributeError, ValueError, UserError):  # gone, or not as we write one
        return []


def other_surroundings(then: Mapping[str, Any]) -> Iterable[str]:
    """The versions, the commit, the device and the threads that were others."""
    now = provenance.versions()
    known = then.get("versions")
    before = known if isinstance(known, dict) else {}
    changed = [f"{name} {before[name]}, now {now[name]}" for name in now if before.get(name, now[name]) != now[name]]
    facts = (
        ("commit", shorten_commit(then.get("git_commit")), shorten_commit(provenance.commit())),
        ("device", then.get("device"), provenance.device()),
        ("threads", then.get("threads"), provenance.threads()),
    )
    changed += [f"{name} {old}, now {new}" for name, old, new in facts if old and new and old != new]
    if changed:
        yield f"not as in that run: {'; '.join(changed)}: the picture may differ"


def shorten_commit(commit: Any) -> str | None:
    """The first letters of a commit's hash, and the + behind it."""
    return f"{commit[:HASH]}{'+' if commit.endswith('+') else ''}" if isinstance(commit, str) else None


def other_weights(then: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterable[str]:
    """The weights that are others by their hash, though the settings that choose them are the same."""
    before, now = then["config"], facts["config"]
    old, new = then.get("weights"), facts.get("weights")
    name = lambda settings, key: {k: Path(str(v)).name if k == "path" else v for k, v in settings.get(key, {}).items()}
    same = all(name(before, key) == name(now, key) for key in WITH_WEIGHTS)
    if same and isinstance(old, dict) and isinstance(new, dict) and old.get("sha256") != new.get("sha256"):
        was, seen = (f"{each.get('source')} (sha256 {str(each.get('sha256'))[:HASH]})" for each in (old, new))
        yield f"other weights than in that run: {was}; now {seen}"
    models = [each["files"] for each in (then.get("model"), facts.get("model")) if isinstance(each, dict)]
    if len(models) == 2 and [f["path"] for f in models[0]] == [f["path"] for f in models[1]]:
        changed = [b["path"] for a, b in zip(*models, strict=True) if a["sha256"] != b["sha256"]]
        if changed:
            yield f"the model has other bytes than in that run: {', '.join(changed)}"
