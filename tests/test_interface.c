// Interfaces of the kernel: the loopback, which every machine has, and such as are not there.

#include <criterion/criterion.h>

#include <string.h>

#include "dataplane/net/interface.h"

static const uint8_t loopback[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
static const uint8_t another[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 99};
static const uint8_t ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

Test(interface, found_by_name)
{
	char name[IF_NAMESIZE] = "";

	cr_assert_eq(interface_find("lo", PACKET_NO_VLAN, name), if_nametoindex("lo"));
	cr_assert_str_eq(name, "lo");
	cr_assert_eq(interface_find("akmanosuch", PACKET_NO_VLAN, name), 0);
	cr_assert_eq(interface_find("", PACKET_NO_VLAN, name), 0);
}

Test(interface, no_vlan_is_over_the_loopback)
{
	char name[IF_NAMESIZE] = "untouched";

	cr_assert_eq(interface_find("lo", 4094, name), 0);
	cr_assert_eq(interface_find("akmanosuch", 4094, name), 0);
	cr_assert_str_eq(name, "untouched");
}

Test(interface, addresses)
{
	cr_assert_eq(interface_has("lo", loopback), 1);
	cr_assert_eq(interface_has("lo", another), 0);
	cr_assert_eq(interface_has("lo", ipv6), 0);
	cr_assert_eq(interface_has("akmanosuch", loopback), 0);
}

Test(interface, queues_that_are_not_told)
{
	cr_assert_eq(interface_queues("lo"), 0);
	cr_assert_eq(interface_queues("akmanosuch"), 0);
}
