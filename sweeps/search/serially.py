"""A search in this process, one trial after another, without Ray."""

from sweeps.search.board import SearchBoard
from sweeps.search.fold_search import FoldSearch
from sweeps.search.rungs import Decision
from trainables.runners import Runner, make_runner
from trainables.work import TrialContext


def run_board(board: SearchBoard, context: TrialContext) -> None:
    """Do the work of a board as Tune does with one worker."""
    held: dict[tuple[str, int, int], Runner] = {}
    while not board.finished:
        work = board.next_work()
        if work is not None:
            search = board.searches[work.model, work.fold]
            _run(search, work.numbers[0], make_runner(work, context), held)
            continue
        key = next((key for key in held if key[2] in board.searches[key[0], key[1]].promoted), None)
        assert key is not None, "nothing to start and nothing to continue: the search hangs"
        _run(board.searches[key[0], key[1]], key[2], held.pop(key), held)


def _run(
    search: FoldSearch, number: int, runner: Runner, held: dict[tuple[str, int, int], Runner]
) -> None:
    while True:
        result = runner.step()
        if "results" in result:
            search.on_results(result["results"])
            # a batch that takes long reports as it goes
            if result["done"]:
                return
            continue
        decision, released = search.on_points(
            number, result["points"], result["seconds"], done=result["done"]
        )
        for other, what in released.items():
            if what is Decision.STOP:
                held.pop((search.model, search.fold, other), None)
        if decision is Decision.HOLD:
            held[search.model, search.fold, number] = runner
        if decision is not Decision.CONTINUE:
            return
