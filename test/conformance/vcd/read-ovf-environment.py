"""Reads an OVF environment from standard input with cloud-init's own datasource; prints what it takes from it as JSON."""

import json
import sys

from cloudinit import util
from cloudinit.sources.DataSourceOVF import read_ovf_environment

metadata, user_data, _ = read_ovf_environment(sys.stdin.read(), True)
print(json.dumps({"metadata": metadata, "userData": util.decomp_gzip(user_data, quiet=False) if user_data else ""}))
