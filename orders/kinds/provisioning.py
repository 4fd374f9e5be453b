"""Provisioning over HTTP: a system of the network, of a cloud, of a partner sets it up."""

from orders.fulfilment.handlers import Handler
from orders.gateways.provisioning import faults_of, provision

HTTP_PROVISIONING = Handler(run=provision, system="provisioning", faults=faults_of)
