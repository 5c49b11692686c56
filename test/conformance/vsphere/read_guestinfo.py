"""Runs cloud-init's VMware datasource over a stand-in for vmware-rpctool, and prints what it found as JSON."""

import json
import sys
from unittest import mock

from cloudinit import dmi, helpers
from cloudinit.sources import DataSourceVMware as vmware

with mock.patch.object(dmi, "read_dmi_data", return_value="VMware7,1"):
    source = vmware.DataSourceVMware({}, mock.Mock(), helpers.Paths({"cloud_dir": sys.argv[2], "run_dir": sys.argv[2]}))
    source.vmware_rpctool = sys.argv[1]
    if not source._get_data():
        sys.exit("the datasource found nothing")

metadata = dict(source.metadata)
network = metadata.pop("network", None)
userdata = source.userdata_raw
json.dump(
    {
        "metadata": metadata,
        "userdata": userdata.decode("utf-8") if isinstance(userdata, bytes) else userdata or "",
        "network": network["config"] if network else None,
    },
    sys.stdout,
)
