"""The order in which waiting jobs run."""

from host.jobs.model import Job
from host.jobs.order import WaitingLine


def job(row: int, client: str = "", number: float | None = None, priority: int = 0) -> Job:
    placed = number is not None
    return Job(f"j{row}", "queued", row, float(row) if number is None else number, priority, placed, client)


def taken(line: WaitingLine) -> list[int]:
    found = list[int]()
    while (item := line.take()) is not None:
        found.append(item.row)
    return found


def filled(*jobs: Job) -> WaitingLine:
    line = WaitingLine()
    for item in jobs:
        line.add(item)
    return line


def test_a_higher_priority_runs_first_and_equals_by_number() -> None:
    line = filled(job(1), job(2, priority=3), job(3), job(4, priority=3))
    assert [item.row for item in line.in_order()] == [2, 4, 1, 3]
    assert taken(line) == [2, 4, 1, 3]


def test_clients_take_turns_however_many_jobs_each_has() -> None:
    line = filled(*(job(row, "many") for row in range(1, 5)), job(9, "few"), job(10, "few"))
    assert taken(line) == [1, 9, 2, 10, 3, 4]


def test_a_place_that_a_person_chose_goes_before_turns() -> None:
    line = filled(job(1, "a"), job(2, "a"), job(3, "b"), job(4, "b", number=0.5), job(5, "b", number=-1))
    assert taken(line)[:2] == [5, 4]


def test_a_job_that_ran_before_goes_first_of_all() -> None:
    line = filled(job(1, priority=9), job(2))
    line.add(job(3), resumed=True)
    assert taken(line) == [3, 1, 2]


def test_a_job_added_again_moves_and_a_removed_one_is_gone() -> None:
    line = filled(job(1), job(2), job(3))
    line.add(job(3, number=0.5))
    assert line.remove("j2")
    assert not line.remove("j2")
    assert taken(line) == [3, 1]
    assert len(line) == 0
