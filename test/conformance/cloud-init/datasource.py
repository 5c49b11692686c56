"""Asks cloud-init's own datasources what they make of what a VM on VMware is told. No boot, no VMware.

usage: PYTHONPATH=... python3 datasource.py vmware RPCTOOL | ovf OVF-ENV.XML

Prints one JSON object: what was found, instance-id, host name, the interfaces, and user-data as cloud-init takes it apart.
"""

import json
import sys

from cloudinit import dmi, helpers
from cloudinit.net import network_state
from cloudinit.sources import DataSourceOVF, DataSourceVMware


def vmware(rpctool):
    # The hardware's id, which is another at each look: what is taken where metadata has none.
    DataSourceVMware.PRODUCT_UUID_FILE_PATH = "/proc/sys/kernel/random/uuid"
    source = DataSourceVMware.DataSourceVMware({}, None, helpers.Paths({}))
    source.vmware_rpctool = rpctool
    return source


def ovf(path):
    # As the transport gives it: the text of the file on the CD.
    with open(path, encoding="utf-8") as file:
        text = file.read()
    DataSourceOVF.transport_vmware_guestinfo = lambda: None
    DataSourceOVF.transport_iso9660 = lambda: text
    return DataSourceOVF.DataSourceOVF({}, None, helpers.Paths({}))


def interfaces(config):
    state = network_state.parse_net_config_data(config)
    return [
        {
            "mac": card["mac_address"],
            "mtu": card.get("mtu"),
            "subnets": [
                {
                    "type": subnet["type"],
                    "address": subnet.get("address"),
                    "prefix": subnet.get("prefix"),
                    "routes": [[route["network"], route["prefix"], route["gateway"]] for route in subnet.get("routes", [])],
                }
                for subnet in card["subnets"]
            ],
        }
        for card in state.iter_interfaces()
    ]


kind, argument = sys.argv[1:]
dmi.read_dmi_data = lambda key: "VMware7,1"
source = {"vmware": vmware, "ovf": ovf}[kind](argument)
found = source._get_data()
answer = {"found": found}
if found:
    config = None
    if kind == "ovf" or "network" in source.metadata:
        config = source.network_config
    answer["instance"] = source.get_instance_id()
    answer["hostname"] = source.metadata.get("local-hostname")
    answer["interfaces"] = interfaces(config) if config else None
    answer["userData"] = [
        [part.get_content_type(), part.get_payload(decode=True).decode("utf-8")]
        for part in source.get_userdata().walk()
        if not part.is_multipart()
    ]
print(json.dumps(answer))
