"""A folder of small wheels that stands in for a package index in the tests of packages.

`probe` requires other packages on each system and each Python, some only through others.
"""

from launcher_course import make_wheel, make_wheel_of

LINUX = "manylinux_2_17_x86_64.manylinux_2_17_aarch64"

# What `probe` leads to, beside packaging and pip: everywhere, on a platform, with a Python.
ALWAYS = {"probe", "deep", "deepest"}
ON = {"Linux": {"tracer"}, "Darwin": {"nap"}, "Windows": {"shade", "paint"}}
WITH = {"3.11": {"older", "patched"}, "3.12": set()}
EXPECTED = {
    (system, python): ALWAYS | ON[system] | WITH[python] for system in ON for python in WITH
}


def make_index(folder):
    """Fill a folder with wheels; pip and packaging are real."""
    requires = [
        'tracer; sys_platform == "linux"',
        'nap; sys_platform == "darwin" and platform_machine == "arm64"',
        'shade>=1.0; os_name == "nt"',
        'older; python_version < "3.12"',
        'patched; python_full_version < "3.11.4"',
        "deep[more]",
    ]
    make_wheel(folder, "probe", requires=requires)
    make_wheel(folder, "tracer", tag=f"py3-none-{LINUX}")
    make_wheel(folder, "nap", tag="py3-none-macosx_11_0_arm64")
    for version in ("311", "312"):
        make_wheel(
            folder,
            "shade",
            tag=f"cp{version}-cp{version}-win_amd64",
            requires=['paint; platform_system == "Windows"', 'tracer; sys_platform == "linux"'],
        )
    requires = ["deepest; extra == 'more'", "unwanted; extra == 'most'"]
    make_wheel(folder, "deep", requires=requires, extras=["more", "most"])
    for name in ("paint", "older", "patched", "deepest", "maintainers_probe"):
        make_wheel(folder, name)
    for name in ("pip", "packaging"):
        make_wheel_of(folder, name)
