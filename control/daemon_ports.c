#include "control/daemon_ports.h"

#include <string.h>

_Static_assert((int)CONFIG_PORTS_MAX <= (int)IO_DPDK_PORTS_MAX &&
		       (int)CONFIG_ADDRESSES_MAX <= (int)HOST_ADDRESSES_MAX &&
		       (int)CONFIG_NEIGHBOURS_MAX <= (int)HOST_STATIC_MAX &&
		       (int)CONFIG_EAL_MAX <= (int)IO_DPDK_ARGS_MAX &&
		       (int)CONFIG_EAL_ARGUMENT_MAX <= (int)IO_DPDK_ARG_MAX,
	       "what the configuration allows fits");

static void host_of(struct host_config *host, const struct config_port *port)
{
	host->vlan = port->vlan;
	host->n_addresses = port->n_addresses;
	for (unsigned i = 0; i < port->n_addresses; i++) {
		memcpy(host->address[i].ip, port->address[i].ip, sizeof(host->address[i].ip));
		host->address[i].prefix = port->address[i].prefix;
	}
	memcpy(host->gateway, port->gateway, sizeof(host->gateway));
	memcpy(host->has_gateway, port->has_gateway, sizeof(host->has_gateway));
	host->n_neighbours = port->n_neighbours;
	for (unsigned i = 0; i < port->n_neighbours; i++) {
		memcpy(host->neighbour[i].ip, port->neighbour[i].ip, sizeof(host->neighbour[i].ip));
		memcpy(host->neighbour[i].mac, port->neighbour[i].mac,
		       sizeof(host->neighbour[i].mac));
	}
}

void daemon_ports(struct io_dpdk_config *dpdk, const struct config *config)
{
	*dpdk = (struct io_dpdk_config){
		.n_args = config->dpdk.n_eal,
		.n_ports = config->dpdk.n_ports,
		.n_workers = config->dataplane.workers,
	};
	for (unsigned i = 0; i < config->dpdk.n_eal; i++)
		dpdk->arg[i] = config->dpdk.eal[i];
	for (unsigned i = 0; i < config->dpdk.n_ports; i++) {
		dpdk->port[i].device = config->dpdk.ports[i].device;
		dpdk->port[i].udp_checksum = config->dpdk.ports[i].udp_checksum;
		host_of(&dpdk->port[i].host, &config->dpdk.ports[i]);
	}
}
