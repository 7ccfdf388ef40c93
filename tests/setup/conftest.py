"""Fixtures: an index of packages, and courses with and without an environment."""

import pytest
from launcher_course import Course, made_like
from package_index import make_index


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """A folder of wheels that requires other packages on each system and each Python."""
    folder = tmp_path_factory.mktemp("index")
    make_index(folder)
    return folder


@pytest.fixture
def new_course(tmp_path):
    """A course whose environment is not made yet."""
    return Course(tmp_path)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A course that is set up; tests take copies of it."""
    first = Course(tmp_path_factory.mktemp("template"))
    first.succeeds("solved")
    return first


@pytest.fixture
def made_course(template, tmp_path):
    """A course whose environment is made and marked."""
    return made_like(template, tmp_path)
