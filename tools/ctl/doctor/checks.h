#pragma once
// The checks. Each says its lines; one that has nothing to look at says none.

#include "tools/ctl/doctor/doctor.h"

void doctor_pages(struct doctor *d);        // huge pages, of the machine and of its nodes
void doctor_locked(struct doctor *d);       // RLIMIT_MEMLOCK of who asks
void doctor_capabilities(struct doctor *d); // likewise: what the ports want
void doctor_iommu(struct doctor *d);        // and the modules of vfio
void doctor_ports(struct doctor *d);        // cards and interfaces of dpdk.ports
void doctor_cores(struct doctor *d);        // CPUs: how many, whose, isolated, governor, turbo
void doctor_features(struct doctor *d);     // instructions, and the kernels that run with them
void doctor_time(struct doctor *d);
void doctor_buffers(struct doctor *d); // of the kernel's sockets
