#include "dataplane/io/dpdk/dpdk_port.h"

#include <errno.h>
#include <net/if.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

enum { DESCRIPTORS = 1024, NAME_MAX_LEN = 63 };

static int wrong(const struct dpdk_port *port, int status, const char *what,
		 char error[IO_ERROR_MAX])
{
	snprintf(error, IO_ERROR_MAX, "port %s: %s: %s", port->device, what, strerror(-status));
	return status;
}

// A device's name ends where its arguments begin.
static int find(struct dpdk_port *port, char error[IO_ERROR_MAX])
{
	char name[NAME_MAX_LEN + 1];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(port->device, ","), port->device);
	if (!rte_eth_dev_get_port_by_name(name, &port->id))
		return 0;
	snprintf(error, IO_ERROR_MAX,
		 strchr(name, ':') ? "port %s: DPDK has no such device: bind it to vfio-pci "
				     "(dpdk-devbind.py)"
				   : "port %s: it did not come up; the lines above say why",
		 port->device);
	return -ENODEV;
}

// Over the receive queues. A device that has no hash of its own (virtio mostly has none) spreads
// as it likes, and refuses to be asked for one.
static void spread(struct rte_eth_conf *conf, const struct rte_eth_dev_info *info)
{
	const uint64_t hash = info->flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP);

	if (!hash)
		return;
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_hf = hash;
}

static int configure(struct dpdk_port *port, const struct rte_eth_dev_info *info,
		     unsigned n_workers, char error[IO_ERROR_MAX])
{
	struct rte_eth_conf conf = {0};
	int status;

	if (info->max_tx_queues < n_workers) {
		snprintf(error, IO_ERROR_MAX,
			 "port %s has %u transmit queues, fewer than workers or threads (%u)",
			 port->device, info->max_tx_queues, n_workers);
		return -EINVAL;
	}
	port->rx_queues =
		(uint16_t)(info->max_rx_queues < n_workers ? info->max_rx_queues : n_workers);
	if (port->rx_queues > 1)
		spread(&conf, info);
	port->sums = info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	if (port->sums)
		conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	status = rte_eth_dev_configure(port->id, port->rx_queues, (uint16_t)n_workers, &conf);
	return status ? wrong(port, status, "configuration", error) : 0;
}

static int set_up_queues(struct dpdk_port *port, const struct rte_eth_dev_info *info,
			 unsigned n_workers, struct rte_mempool *pool, char error[IO_ERROR_MAX])
{
	const unsigned socket = (unsigned)rte_eth_dev_socket_id(port->id);
	uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;
	int status = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx);

	for (uint16_t q = 0; !status && q < port->rx_queues; q++)
		status = rte_eth_rx_queue_setup(port->id, q, rx, socket, &info->default_rxconf,
						pool);
	for (uint16_t q = 0; !status && q < n_workers; q++)
		status = rte_eth_tx_queue_setup(port->id, q, tx, socket, &info->default_txconf);
	return status ? wrong(port, status, "queues", error) : 0;
}

static int start(struct dpdk_port *port, char error[IO_ERROR_MAX])
{
	const int status = rte_eth_dev_start(port->id);

	if (status)
		return wrong(port, status, "start", error);
	if (rte_eth_allmulticast_enable(port->id))
		log_debug("dpdk", "port %s takes no multicast by itself", port->device);
	return 0;
}

// Of the kernel's interface that the port stands on; 0: none, or not to be had.
static unsigned interface_mtu(unsigned index)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};
	int mtu = 0;

	if (fd < 0)
		return 0;
	if (index && if_indextoname(index, request.ifr_name) && !ioctl(fd, SIOCGIFMTU, &request))
		mtu = request.ifr_mtu;
	close(fd);
	return mtu > 0 ? (unsigned)mtu : 0;
}

// Ports on an interface of the kernel's (af_packet, af_xdp, tap) say 1500 whatever it has.
static int find_mtu(struct dpdk_port *port, const struct rte_eth_dev_info *info,
		    char error[IO_ERROR_MAX])
{
	const unsigned beneath = interface_mtu(info->if_index);
	const int status = rte_eth_dev_get_mtu(port->id, &port->mtu);

	if (status)
		return wrong(port, status, "MTU", error);
	if (beneath && beneath < port->mtu)
		port->mtu = (uint16_t)beneath;
	if (dpdk_port_datagram_max(port) < FRAME_MAX)
		log_warn("dpdk", "port %s has an MTU of %u: datagrams of at most %u octets fit",
			 port->device, port->mtu, dpdk_port_datagram_max(port));
	return 0;
}

unsigned dpdk_port_datagram_max(const struct dpdk_port *port)
{
	static const unsigned headers[] = {PACKET_IPV4_HEADER + PACKET_UDP_HEADER,
					   PACKET_IPV6_HEADER + PACKET_UDP_HEADER};
	const unsigned of = headers[host_source(&port->host, true) != NULL];
	const unsigned room = port->mtu > of ? port->mtu - of : 0;

	return room < FRAME_MAX ? room : FRAME_MAX;
}

static int make_host(struct dpdk_port *port, const struct io_dpdk_port *config,
		     char error[IO_ERROR_MAX])
{
	struct host_config host = config->host;
	struct rte_ether_addr mac;
	char why[HOST_ERROR_MAX];
	int status = rte_eth_macaddr_get(port->id, &mac);

	if (status)
		return wrong(port, status, "MAC", error);
	memcpy(host.mac, mac.addr_bytes, sizeof(host.mac));
	status = host_init(&port->host, &host, why);
	if (status)
		snprintf(error, IO_ERROR_MAX, "port %.60s: %.180s", port->device, why);
	return status;
}

// What a shared interface diverts is on the queue that it came in on. A worker without a queue is
// handed what is for it.
static void steer(struct dpdk_port *port, uint16_t first_port)
{
	const struct dpdk_flow_plan plan = {
		.device = port->device,
		.port = port->id,
		.queues = port->rx_queues,
		.first_port = first_port,
		.has_vlan = port->host.config.vlan != PACKET_NO_VLAN,
		.has = {host_source(&port->host, false), host_source(&port->host, true)},
	};

	port->steering = PORT_STEERING_NONE;
	if (port->rx_queues < 2)
		return;
	port->steering = PORT_STEERING_RSS;
	if (!port->is_shared && first_port && !dpdk_flow_open(&port->flow, &plan))
		port->steering = PORT_STEERING_RULES;
}

int dpdk_port_open(struct dpdk_port *port, const struct io_dpdk_port *config, unsigned n_workers,
		   uint16_t first_port, struct rte_mempool *pool, char error[IO_ERROR_MAX])
{
	struct rte_eth_dev_info info;
	int status;

	snprintf(port->device, sizeof(port->device), "%s", config->device);
	port->udp_checksum = config->udp_checksum;
	status = find(port, error);
	if (!status) {
		status = rte_eth_dev_info_get(port->id, &info);
		if (status)
			return wrong(port, status, "what it can do", error);
	}
	if (!status)
		status = configure(port, &info, n_workers, error);
	if (!status)
		status = set_up_queues(port, &info, n_workers, pool, error);
	if (!status)
		status = make_host(port, config, error);
	if (!status)
		status = find_mtu(port, &info, error);
	if (!status)
		status = start(port, error);
	if (!status && dpdk_shared_is(port->device)) {
		status = dpdk_shared_open(&port->shared, config, first_port, n_workers, error);
		port->is_shared = !status;
	}
	if (!status)
		steer(port, first_port);
	return status;
}

void dpdk_port_stop(struct dpdk_port *port)
{
	dpdk_flow_close(&port->flow);
	if (port->is_shared)
		dpdk_shared_close(&port->shared);
	rte_eth_dev_stop(port->id);
}

void dpdk_port_close(struct dpdk_port *port)
{
	rte_eth_dev_close(port->id);
}

// ---- How it is

bool dpdk_port_is_up(const struct dpdk_port *port)
{
	struct rte_eth_link link = {0};

	return !rte_eth_link_get_nowait(port->id, &link) && link.link_status == RTE_ETH_LINK_UP;
}

static void copy_device_counts(uint64_t count[PORT_DEVICE_COUNT_COUNT],
			       const struct rte_eth_stats *stats)
{
	count[PORT_DEVICE_RX_FRAMES] = stats->ipackets;
	count[PORT_DEVICE_TX_FRAMES] = stats->opackets;
	count[PORT_DEVICE_RX_OCTETS] = stats->ibytes;
	count[PORT_DEVICE_TX_OCTETS] = stats->obytes;
	count[PORT_DEVICE_RX_MISSED] = stats->imissed;
	count[PORT_DEVICE_RX_ERRORS] = stats->ierrors;
	count[PORT_DEVICE_TX_ERRORS] = stats->oerrors;
	count[PORT_DEVICE_NO_BUFFER] = stats->rx_nombuf;
}

void dpdk_port_status(const struct dpdk_port *port, struct port_status *status)
{
	struct rte_eth_link link = {0};
	struct rte_eth_stats stats = {0};

	*status = (struct port_status){0};
	snprintf(status->name, sizeof(status->name), "%.*s", (int)strcspn(port->device, ","),
		 port->device);
	memcpy(status->mac, port->host.config.mac, sizeof(status->mac));
	status->steering = port->steering;
	if (!rte_eth_link_get_nowait(port->id, &link)) {
		status->link_up = link.link_status == RTE_ETH_LINK_UP;
		status->mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
	}
	if (!rte_eth_stats_get(port->id, &stats))
		copy_device_counts(status->device, &stats);
}
