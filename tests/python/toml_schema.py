"""Holds a TOML file to a JSON Schema, and names what breaks it: toml_schema.py SCHEMA FILE"""

import json
import sys
import tomllib
from pathlib import Path

from jsonschema.validators import validator_for

schema = json.loads(Path(sys.argv[1]).read_text())
validator = validator_for(schema)
validator.check_schema(schema)
problems = list(validator(schema).iter_errors(tomllib.loads(Path(sys.argv[2]).read_text())))
for problem in problems:
    print(f"{problem.json_path}: {problem.message}")
sys.exit(1 if problems else 0)
