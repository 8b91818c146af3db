#include "dataplane/net/interface.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_vlan.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/net/host_config.h"

static int open_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

// ---- VLANs

static bool ask_vlan(int s, int command, const char *name, struct vlan_ioctl_args *args)
{
	*args = (struct vlan_ioctl_args){.cmd = command};
	snprintf(args->device1, sizeof(args->device1), "%s", name);
	return !ioctl(s, SIOCGIFVLAN, args);
}

static bool is_vlan(int s, const char *name, const char *lower, uint16_t vlan)
{
	struct vlan_ioctl_args args;

	if (!ask_vlan(s, GET_VLAN_REALDEV_NAME_CMD, name, &args) ||
	    strncmp(args.u.device2, lower, sizeof(args.u.device2)))
		return false;
	return ask_vlan(s, GET_VLAN_VID_CMD, name, &args) && args.u.VID == vlan;
}

static unsigned find_vlan(const char *lower, uint16_t vlan, char found[IF_NAMESIZE])
{
	struct if_nameindex *const all = if_nameindex();
	const int s = open_socket();
	unsigned index = 0;

	for (const struct if_nameindex *i = all; i && s >= 0 && !index && i->if_index; i++) {
		if (!is_vlan(s, i->if_name, lower, vlan))
			continue;
		index = i->if_index;
		snprintf(found, IF_NAMESIZE, "%s", i->if_name);
	}
	if (s >= 0)
		close(s);
	if (all)
		if_freenameindex(all);
	return index;
}

unsigned interface_find(const char *name, uint16_t vlan, char found[IF_NAMESIZE])
{
	if (vlan != PACKET_NO_VLAN)
		return find_vlan(name, vlan, found);
	snprintf(found, IF_NAMESIZE, "%s", name);
	return if_nametoindex(name);
}

// ---- Addresses

static bool is_address(const struct sockaddr *address, const uint8_t ip[PACKET_IP])
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (!address || address->sa_family != (host_is_ipv6(ip) ? AF_INET6 : AF_INET))
		return false;
	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		return !memcmp(&v4.sin_addr, ip + 12, 4);
	}
	memcpy(&v6, address, sizeof(v6));
	return !memcmp(&v6.sin6_addr, ip, PACKET_IP);
}

int interface_has(const char *name, const uint8_t ip[PACKET_IP])
{
	struct ifaddrs *all = NULL;
	int has = 0;

	if (getifaddrs(&all))
		return -errno;
	for (const struct ifaddrs *a = all; a && !has; a = a->ifa_next)
		has = !strcmp(a->ifa_name, name) && is_address(a->ifa_addr, ip);
	freeifaddrs(all);
	return has;
}

// ---- Queues

unsigned interface_queues(const char *name)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (void *)&channels};
	const int s = open_socket();
	unsigned n = 0;

	if (s < 0)
		return 0;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (!ioctl(s, SIOCETHTOOL, &request))
		n = channels.combined_count + channels.rx_count;
	close(s);
	return n;
}
