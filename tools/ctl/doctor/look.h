#pragma once
// All checks.

#include "tools/ctl/doctor/doctor.h"

void doctor_look(struct doctor *d);
