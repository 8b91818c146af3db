#include "tools/ctl/doctor/device.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

bool device_pci(const char *device, char address[DEVICE_PCI_MAX])
{
	unsigned domain = 0, bus, slot, function;

	if (sscanf(device, "%4x:%2x:%2x.%1u", &domain, &bus, &slot, &function) != 4) {
		domain = 0;
		if (sscanf(device, "%2x:%2x.%1u", &bus, &slot, &function) != 3)
			return false;
	}
	snprintf(address, DEVICE_PCI_MAX, "%04x:%02x:%02x.%u", domain, bus, slot, function);
	return true;
}

bool device_is_pci(const char *device)
{
	char address[DEVICE_PCI_MAX];

	return device_pci(device, address);
}

bool device_is(const char *device, const char *driver)
{
	const size_t len = strlen(driver);

	if (strncmp(device, driver, len))
		return false;
	device += len;
	device += strspn(device, "0123456789");
	return !*device || *device == ',';
}

bool device_argument(const char *device, const char *name, char *value, size_t max)
{
	const size_t len = strlen(name);

	for (const char *at = strchr(device, ','); at; at = strchr(at + 1, ',')) {
		if (strncmp(at + 1, name, len) || at[1 + len] != '=')
			continue;
		snprintf(value, max, "%.*s", (int)strcspn(at + len + 2, ","), at + len + 2);
		return *value;
	}
	return false;
}
