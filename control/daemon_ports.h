#pragma once
// From the configuration's ports to those of the back end dpdk.

#include "control/config/config.h"
#include "dataplane/io/io_dpdk.h"

// Points into config.
void daemon_ports(struct io_dpdk_config *dpdk, const struct config *config);
