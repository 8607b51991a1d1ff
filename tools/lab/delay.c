// SPDX-License-Identifier: BSD-2-Clause
/*
 * lab-delay: a link that takes its time, for kernels without netem. Makes a TUN device;
 * every packet routed into it comes out again, in order, MS milliseconds later.
 *
 * lab-delay [-p PIDFILE] DEVICE MS    returns when the device exists, leaves a daemon
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SLOTS	  4096 /* power of two; full means the packet is dropped, as on a link */
#define MTU_BYTES 2048

struct packet {
	uint64_t due_ns;
	size_t len;
	uint8_t data[MTU_BYTES];
};

static struct packet ring[SLOTS];
static size_t head, tail;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static int tun_open(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr))
		return -errno;
	return fd;
}

static void read_all(int fd, uint64_t delay_ns)
{
	struct packet *p;
	ssize_t n;

	while (head - tail < SLOTS) {
		p = &ring[head % SLOTS];
		n = read(fd, p->data, sizeof(p->data));
		if (n <= 0)
			return;
		p->len = (size_t)n;
		p->due_ns = now_ns() + delay_ns;
		head++;
	}
}

static void write_due(int fd)
{
	for (; tail != head && ring[tail % SLOTS].due_ns <= now_ns(); tail++)
		if (write(fd, ring[tail % SLOTS].data, ring[tail % SLOTS].len) < 0 &&
		    errno != EINVAL)
			return;
}

static void loop(int fd, uint64_t delay_ns)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct timespec ts = { 0 }, *wait;
	uint64_t now;

	for (;;) {
		wait = NULL;
		if (tail != head) {
			now = now_ns();
			ts.tv_nsec =
				ring[tail % SLOTS].due_ns > now
					? (long)((ring[tail % SLOTS].due_ns - now) % 1000000000)
					: 0;
			wait = &ts;
		}
		if (ppoll(&pfd, 1, wait, NULL) < 0 && errno != EINTR)
			return;
		if (pfd.revents & (POLLERR | POLLHUP))
			return; /* the device was taken away: the lab is going down */
		read_all(fd, delay_ns);
		write_due(fd);
	}
}

int main(int argc, char **argv)
{
	const char *pidfile = NULL;
	unsigned long ms;
	int fd, opt, null;
	pid_t pid;
	FILE *f;

	while ((opt = getopt(argc, argv, "p:")) != -1)
		if (opt == 'p')
			pidfile = optarg;
	if (argc - optind != 2) {
		fprintf(stderr, "usage: lab-delay [-p PIDFILE] DEVICE MS\n");
		return 2;
	}
	ms = strtoul(argv[optind + 1], NULL, 10);
	fd = tun_open(argv[optind]);
	if (fd < 0 || ms == 0 || ms > 900) {
		fprintf(stderr, "lab-delay: %s: %s\n", argv[optind],
			fd < 0 ? strerror(-fd) : "1 to 900 ms");
		return 1;
	}
	pid = fork();
	if (pid < 0)
		return perror("lab-delay: fork"), 1;
	if (pid > 0) {
		f = pidfile ? fopen(pidfile, "w") : NULL;
		if (f) {
			fprintf(f, "%d\n", (int)pid);
			fclose(f);
		}
		return 0;
	}
	setsid();
	null = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	loop(fd, ms * 1000000);
	return 0;
}
