#include "ue/octets.h"

// Volatile, so that the stores stay although nothing reads them.
void apue_wipe(void *p, size_t n)
{
	volatile uint8_t *octets = p;

	while (n--)
		*octets++ = 0;
}
