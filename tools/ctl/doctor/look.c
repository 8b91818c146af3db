#include "tools/ctl/doctor/look.h"

#include "tools/ctl/doctor/checks.h"

void doctor_look(struct doctor *d)
{
	doctor_pages(d);
	doctor_locked(d);
	doctor_capabilities(d);
	doctor_iommu(d);
	doctor_ports(d);
	doctor_cores(d);
	doctor_features(d);
	doctor_time(d);
	doctor_buffers(d);
}
