#include "tools/fleet/fleet_link.h"
const struct fleet_link_ops fleet_port;
