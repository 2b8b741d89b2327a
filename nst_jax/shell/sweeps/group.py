"""A group of jobs of one Spec, run as the lanes of one session after the other."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from nst_jax.shell.errors import Ended
from nst_jax.shell.io.marks import FAILED
from nst_jax.shell.running import again, checkpoint, device, program, provenance, scales
from nst_jax.shell.running.inputs import Log, sizes_of_run
from nst_jax.shell.running.job import Job
from nst_jax.shell.running.lane import Lane
from nst_jax.shell.running.once import Once, memory
from nst_jax.shell.running.prepare import prepare
from nst_jax.shell.running.program import Program
from nst_jax.shell.running.session import Rules, Session
from nst_jax.shell.running.stop import Stop
from nst_jax.shell.settings.scale import Stage
from nst_jax.shell.settings.schema import Sweep
from nst_jax.shell.sweeps import cells
from nst_jax.shell.sweeps.cells import Cell

News = Callable[[Program, Sequence[Lane]], None]


def run(group: Sequence[Cell], how: Sweep, stop: Stop, news: News) -> None:
    """Run jobs that can be lanes of one program. The results of each are in its folder."""
    device.set_up(group[0].config.device)
    once = memory()
    lanes, own = begin(group, stop, once)
    if not lanes or stop.asked or (how.stop_on_error and len(lanes) < len(group)):
        return
    try:
        most, width = how.lanes, None if how.lanes else former_width(lanes)
        if group[0].config.device.deterministic:
            width = 1
        # the last size takes the most memory: all sizes have its width
        jobs, say, mesh = [lane.job for lane in lanes], say_to(lanes), group[0].config.device.mesh
        made = program.compile_program(jobs, most=most, share=how.memory, log=say, width=width, mesh=mesh)
    except Exception as error:
        for lane in lanes:
            cells.mark_failed(own[lane.number], error, where=" (compiling)", own=False)
        return
    for lane in lanes if made.mesh else ():
        lane.say(f"mesh: {program.describe_mesh(made.mesh)}")
    facts = {"sweep": lanes[0].folder.parent.name}
    rules = Rules(how.checkpoint, result_when_stopped=False, stop_on_error=how.stop_on_error, facts=facts)
    programs = Programs(made, mesh, say)
    for first in range(0, len(lanes), made.width):
        part = lanes[first : first + made.width]
        places = {id(lane): own[lane.number] for lane in part}
        for number, lane in enumerate(part):
            lane.number = number
            lane.attempt(partial(checkpoint.note_width, lane.folder, made.width), checkpoint.WIDTH)
        run_part(part, places, programs, once, rules, stop, lambda _: news(made, lanes))
        if stop.asked or (how.stop_on_error and any(cells.status(cell) == FAILED for cell in places.values())):
            return


def run_part(
    part: Sequence[Lane],
    places: Mapping[int, Cell],
    programs: "Programs",
    once: Once,
    rules: Rules,
    stop: Stop,
    news: Callable[[Session], None],
) -> None:
    """Run lanes side by side, at all sizes of theirs. places: the cell of each, by the lane's id."""

    def make(lane: Lane, stage: Stage) -> Job:
        return prepare(places[id(lane)].config, lambda line: None, once, stage=stage)

    def end(lane: Lane) -> None:
        mark(places[id(lane)], lane)

    config = places[id(part[0])].config
    try:
        how, stages = scales.passage(config.scale), [sizes_of_run(places[id(lane)].config) for lane in part]
        scales.run(part, stages, make, programs.at, how, rules, stop, news, end)
    except Ended:  # a signal, while the style was painted
        return
    except Exception as error:  # of the program as a whole: memory, a device
        for lane in part:
            if not lane.ended:
                lane.ended, lane.error = True, error
                cells.mark_failed(places[id(lane)], error, own=False)


class Programs:
    """The programs of a group, one for each size, all as wide as that of the last one."""

    def __init__(self, last: Program, mesh: str, log: Log) -> None:
        self.last, self.mesh, self.log, self.known = last, mesh, log, dict[int, Program]()

    def at(self, stage: Stage, jobs: Sequence[Job]) -> Program:
        """The program of a size."""
        if stage.number + 1 == stage.many:
            return self.last
        if stage.number not in self.known:
            same = {"width": self.last.width, "axes": self.last.axes, "mesh": self.mesh, "log": self.log}
            self.known[stage.number] = program.compile_program(jobs, most=None, share=1.0, **same)
        return self.known[stage.number]


def former_width(lanes: Sequence[Lane]) -> int | None:
    """The width of the program that started the jobs, or None. Another width would give other pixels."""
    return max(checkpoint.former_width(lane.folder) for lane in lanes) or None


def begin(group: Sequence[Cell], stop: Stop, once: Once) -> tuple[list[Lane], list[Cell]]:
    """The jobs ready to run, as lanes, and their cells. One that cannot be prepared is reported and left out.

    once: what the jobs have in common is read once, and asked for once.
    """
    lanes: list[Lane] = []
    own: list[Cell] = []
    for cell in group:
        if stop.asked:
            break
        try:
            cells.make_folder(cell)
            lane = Lane(scales.outline(cell.config, log_to(cell), once), cell.folder, number=len(lanes))
            describe(lane)
        except Ended:  # a signal, while the style was painted
            break
        except Exception as error:
            cells.mark_failed(cell, error)
        else:
            lanes.append(lane)
            own.append(cell)
    return lanes, own


def say_to(lanes: Sequence[Lane]) -> Log:
    """A function that adds a line to the log of each."""

    def say(text: str) -> None:
        for lane in lanes:
            lane.say(text)

    return say


def log_to(cell: Cell) -> Callable[[str], None]:
    """A function that adds a line to the job's own log."""
    return lambda text: cells.folders.say(cell.folder, text)


def describe(lane: Lane) -> None:
    """Write what a single run says before it starts into the lane's log."""
    height, width = lane.job.start.shape[:2]
    lane.say(f"weights: {lane.job.facts['weights']['source']}")
    lane.say(f"device: {provenance.device()}, {width} x {height} pixels")
    lane.say(f"folder: {lane.folder}")
    for line in again.others(lane.job.facts):
        lane.say(line)


def mark(cell: Cell, lane: Lane) -> None:
    """Mark the job of a lane that has ended."""
    if lane.error is not None:
        cells.mark_failed(cell, lane.error)
        return
    last = lane.results
    lane.say(f"{last['step']} steps, {last['evaluations']} evaluations; total {last['total']:.6g}")
    if lane.climbed:
        cells.warn(cell, "the objective ends above its start; kept: the best image")
    if lane.finite:
        cells.mark_done(cell, lane.results)
    else:
        text = f"step {lane.done}: the loss is not finite; kept: the best image before it"
        cells.mark_failed(cell, text, numbers=lane.results)
