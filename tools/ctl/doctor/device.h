#pragma once
// The names of DPDK's devices: "0000:01:00.0", "net_af_packet0,iface=eth1". Pure functions.

#include <stdbool.h>
#include <stddef.h>

enum { DEVICE_PCI_MAX = 32 };

bool device_is_pci(const char *device);
// Its address as the kernel writes it, "0000:01:00.0"; false: it is none.
bool device_pci(const char *device, char address[DEVICE_PCI_MAX]);
// Whether it is of that driver: "net_tap" of net_tap0.
bool device_is(const char *device, const char *driver);
// The value of an argument ("iface"); false: it has none.
bool device_argument(const char *device, const char *name, char *value, size_t max);
