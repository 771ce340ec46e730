"""Prints YAML documents as one JSON array: yaml_to_json.py FILE"""

import json
import sys
from pathlib import Path

import yaml

print(json.dumps(list(yaml.safe_load_all(Path(sys.argv[1]).read_text()))))
