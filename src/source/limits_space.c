/* SPDX-License-Identifier: BSD-2-Clause */
/* See limits_space.h. */
#include "source/limits_space.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "source/limits_parse.h"

#define DUMP_BYTES 32768 /* the kernel fills as much at once as was asked for last */
#define FILE_BYTES 16384

/* include/net/tcp_states.h: all but LISTEN, CLOSE and those not yet accepted */
#define STATES_OPEN   (1u << 1 | 1u << 2 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 8 | 1u << 9 | 1u << 11)
#define STATES_LISTEN (1u << 10)

enum space_sysctl { SYSCTL_PORTS, SYSCTL_TIME_WAIT, SYSCTL_CONNTRACK, SYSCTL_CONNTRACK_MAX };
static const char *const sysctls[] = {
	[SYSCTL_PORTS] = "/proc/sys/net/ipv4/ip_local_port_range",
	[SYSCTL_TIME_WAIT] = "/proc/sys/net/ipv4/tcp_max_tw_buckets",
	[SYSCTL_CONNTRACK] = "/proc/sys/net/netfilter/nf_conntrack_count",
	[SYSCTL_CONNTRACK_MAX] = "/proc/sys/net/netfilter/nf_conntrack_max",
};
_Static_assert(ARRAY_SIZE(sysctls) == ARRAY_SIZE(((struct space *)0)->sysctl), "one fd each");

static void read_fd(char *buf, size_t cap, int fd)
{
	size_t n = 0;
	ssize_t got;

	while (fd >= 0 && n + 1 < cap && (got = pread(fd, buf + n, cap - 1 - n, (off_t)n)) > 0)
		n += (size_t)got;
	buf[n] = '\0';
}

void space_read(char *buf, size_t cap, int dir, const char *path)
{
	w5_auto(closep) int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	read_fd(buf, cap, fd);
}

/* Opened here, they belong to the namespace we are in now. */
static void open_inside(struct space *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++)
		s->sysctl[i] = open(sysctls[i], O_RDONLY | O_CLOEXEC);
	s->diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
}

int space_open(struct space *s, uint32_t netns, uint32_t pid)
{
	w5_auto(closep) int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	w5_auto(closep) int there = -1;
	struct stat a, b;
	char path[32];

	*s = (struct space){ .netns = netns, .diag = -1 };
	memset(s->sysctl, -1, sizeof(s->sysctl));
	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (own < 0 || there < 0 || fstat(own, &a) || fstat(there, &b))
		return -errno;
	if (b.st_ino != netns) /* the process has moved, or is another one by now */
		return -ESTALE;
	s->running = calloc(1, sizeof(*s->running));
	s->done = calloc(1, sizeof(*s->done));
	if (!s->running || !s->done)
		return -ENOMEM;
	if (a.st_ino == b.st_ino) {
		open_inside(s);
		return 0;
	}
	if (setns(there, CLONE_NEWNET))
		return -errno;
	open_inside(s);
	/* Nothing else of this program asks for the namespace it is in: should the way back be
	 * closed, the ring, files and terminal go on as before. */
	return setns(own, CLONE_NEWNET) ? -errno : 0;
}

void space_close(struct space *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->sysctl); i++)
		closep(&s->sysctl[i]);
	closep(&s->diag);
	free(take_ptr(s->running));
	free(take_ptr(s->done));
}

/* ---- dumps ---- */

static int ask(const struct space *s, int family, uint32_t states, uint16_t from, uint16_t to)
{
	char buf[LIMITS_REQUEST_MAX];
	size_t len = limits_diag_request(buf, family, states, from, to);

	return send(s->diag, buf, len, 0) < 0 ? -errno : 0;
}

/* Reads answers until the dump has ended (1), or budget_ns is used up (0). The kernel makes each
 * as it is read: none is waited for. */
static int take_answers(const struct space *s, uint64_t budget_ns,
			void (*on_socket)(void *self, const struct limits_socket *sk), void *self)
{
	uint64_t start = budget_ns == UINT64_MAX ? 0 : clock_ns(CLOCK_THREAD_CPUTIME_ID);
	char buf[DUMP_BYTES];
	int rc;

	do {
		ssize_t n = recv(s->diag, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0)
			return errno == EINTR ? 0 : -errno;
		rc = limits_diag_parse(buf, (size_t)n, on_socket, self);
		if (rc)
			return rc;
	} while (budget_ns == UINT64_MAX || clock_ns(CLOCK_THREAD_CPUTIME_ID) - start < budget_ns);
	return 0;
}

/* Sockets that share an address (SO_REUSEPORT) are one row: the fullest, and the drops of all. */
static void on_listener(void *self, const struct limits_socket *sk)
{
	struct space *s = self;
	struct w5_host_listener *l;

	for (size_t i = 0; i < s->nlisteners; i++) {
		l = &s->listeners[i];
		if (l->port != sk->lport || memcmp(&l->ip, &sk->local, sizeof(l->ip)))
			continue;
		if ((uint64_t)sk->recv_q * l->max > (uint64_t)l->queue * sk->send_q) {
			l->queue = sk->recv_q;
			l->max = sk->send_q;
		}
		l->drops += sk->drops;
		return;
	}
	if (s->nlisteners == SPACE_LISTENERS_MAX)
		return;
	l = &s->listeners[s->nlisteners++];
	*l = (struct w5_host_listener){ .ip = sk->local,
					.port = sk->lport,
					.queue = sk->recv_q,
					.max = sk->send_q,
					.drops = sk->drops };
}

static void sample_listeners(struct space *s)
{
	static const int families[] = { AF_INET, AF_INET6 };

	s->nlisteners = 0;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (!ask(s, families[i], STATES_LISTEN, 0, 0))
			take_answers(s, UINT64_MAX, on_listener, s);
}

/* ---- values ---- */

static uint64_t sysctl_number(const struct space *s, enum space_sysctl which, unsigned int i)
{
	char buf[64];

	read_fd(buf, sizeof(buf), s->sysctl[which]);
	return limits_number(buf, i);
}

static void sample_ports(struct space *s)
{
	uint64_t from = sysctl_number(s, SYSCTL_PORTS, 0), to = sysctl_number(s, SYSCTL_PORTS, 1);

	s->from = s->to = 0;
	s->v[W5_HOST_PORTS_MAX] = W5_HOST_UNKNOWN;
	if (!from || from > to || to > UINT16_MAX)
		return;
	s->from = (uint16_t)from;
	s->to = (uint16_t)to;
	s->v[W5_HOST_PORTS_MAX] = to - from + 1;
}

void space_sample(struct space *s, uint32_t pid)
{
	char path[48], text[FILE_BYTES];

	snprintf(path, sizeof(path), "/proc/%u/net/netstat", pid);
	space_read(text, sizeof(text), AT_FDCWD, path);
	s->v[W5_HOST_LISTEN_OVERFLOWS] = limits_netstat(text, "TcpExt:", "ListenOverflows");
	s->v[W5_HOST_LISTEN_DROPS] = limits_netstat(text, "TcpExt:", "ListenDrops");
	s->v[W5_HOST_REQUEST_DROPS] = limits_netstat(text, "TcpExt:", "TCPReqQFullDrop");
	snprintf(path, sizeof(path), "/proc/%u/net/sockstat", pid);
	space_read(text, sizeof(text), AT_FDCWD, path);
	s->v[W5_HOST_TIME_WAIT] = limits_sockstat(text, "TCP:", "tw");
	snprintf(path, sizeof(path), "/proc/%u/net/stat/nf_conntrack", pid);
	space_read(text, sizeof(text), AT_FDCWD, path);
	s->v[W5_HOST_CONNTRACK_DROPS] = limits_stat_sum(text, "drop");
	s->v[W5_HOST_TIME_WAIT_MAX] = sysctl_number(s, SYSCTL_TIME_WAIT, 0);
	s->v[W5_HOST_CONNTRACK] = sysctl_number(s, SYSCTL_CONNTRACK, 0);
	s->v[W5_HOST_CONNTRACK_MAX] = sysctl_number(s, SYSCTL_CONNTRACK_MAX, 0);
	sample_ports(s);
	if (!s->family) /* one dump at a time on a socket */
		sample_listeners(s);
}

/* ---- local ports ---- */

static void on_open_socket(void *self, const struct limits_socket *sk)
{
	struct counts *c = self;

	for (size_t i = 0; i < c->n; i++) {
		struct towards *t = &c->v[i];

		if (t->port == sk->rport && !memcmp(&t->to, &sk->remote, sizeof(t->to)) &&
		    !memcmp(&t->from, &sk->local, sizeof(t->from))) {
			t->used++;
			/* busy ones move to the front: the search stays short */
			if (i && c->v[i - 1].used < t->used) {
				struct towards swap = c->v[i - 1];

				c->v[i - 1] = *t;
				*t = swap;
			}
			return;
		}
	}
	if (c->n < SPACE_TOWARDS_MAX)
		c->v[c->n++] = (struct towards){
			.from = sk->local, .to = sk->remote, .port = sk->rport, .used = 1
		};
}

void space_count_start(struct space *s, uint64_t now_ns)
{
	if (s->family || !s->from || s->diag < 0)
		return;
	s->running->n = 0;
	s->cost_ns = 0;
	s->started_ns = now_ns;
	if (!ask(s, AF_INET, STATES_OPEN, s->from, s->to))
		s->family = AF_INET;
}

void space_count_go_on(struct space *s, uint64_t budget_ns)
{
	struct counts *swap;
	uint64_t start;
	int rc;

	if (!s->family)
		return;
	start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	rc = take_answers(s, budget_ns, on_open_socket, s->running);
	s->cost_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
	if (!rc)
		return;
	if (s->family == AF_INET6 && (rc == -ENOENT || rc == -EAFNOSUPPORT))
		rc = LIMITS_DUMP_ENDED; /* a kernel without IPv6 */
	if (rc == LIMITS_DUMP_ENDED && s->family == AF_INET) {
		s->family = ask(s, AF_INET6, STATES_OPEN, s->from, s->to) ? 0 : AF_INET6;
		return;
	}
	s->family = 0;
	s->last_cost_ns = s->cost_ns;
	if (rc != LIMITS_DUMP_ENDED)
		return; /* a count that broke off says too little: the last one stays */
	swap = s->done;
	s->done = s->running;
	s->running = swap;
}
