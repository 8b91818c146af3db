#pragma once
// How one thread wakes another that sleeps in poll(2): an eventfd that is written only when the
// sleeper said it is about to sleep, so that a busy pair of threads makes no system calls.
//
//   sleeper:  wake_arm(w); if (nothing to do) poll(w->fd, …); wake_disarm(w);
//             and wake_drain(w) whenever poll showed the descriptor
//   waker:    make the work visible; wake_signal(w);

#include <stdatomic.h>
#include <stdbool.h>

struct wake {
	int fd;
	atomic_bool armed;
};

int wake_open(struct wake *wake); // 0 or -errno
void wake_close(struct wake *wake);

void wake_arm(struct wake *wake);    // Sleeper: look for work once more after this.
void wake_disarm(struct wake *wake); // Sleeper: takes back a signal that has come.
void wake_drain(struct wake *wake);  // Sleeper: takes one that came after wake_disarm.
void wake_signal(struct wake *wake); // Any thread.
