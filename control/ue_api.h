#pragma once
// Parts of the routes of UEs. For ue_*.c alone.

#include "control/http.h"

extern const struct http_upload ue_upload;
