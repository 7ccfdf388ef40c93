"""What the notebooks import. Any Python 3 reads this file, so that an old one gets a sentence."""

# The Pythons on which all of requirements.txt installs.
SUPPORTED = ((3, 11), (3, 12), (3, 13), (3, 14))
