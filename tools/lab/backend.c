// SPDX-License-Identifier: BSD-2-Clause
/*
 * lab-backend: the backend that misbehaves on demand. One epoll loop, many ports, a row
 * of modes[] per port. In: connections of the gateway. Out: one log line per connection,
 * request and deed (the backend's own truth: which socket a request really came on):
 *
 *   time_us  event  peer_ip  peer_port  local_port  request_id  nr  mode
 *
 * lab-backend [-l LOG] [-p PIDFILE] PORT:MODE...   returns when all ports listen and
 * leaves a daemon behind; -f stays in the foreground; -m lists the modes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUF_BYTES   16384
#define LOG_BYTES   65536
#define HOLD_MAX_NS 20000000000ull /* nobody waits longer than this for the gateway to close */
#define MS	    1000000ull

enum ending {
	END_KEEP,   /* the conn lives on */
	END_FIN,    /* close */
	END_RST,    /* close with SO_LINGER 0 */
	END_HOLD,   /* nothing, until the gateway closes */
	END_VANISH, /* the socket disappears without a packet, as when its host reboots */
};
static const char *const ending_names[] = {
	[END_KEEP] = "keep", [END_FIN] = "fin",	      [END_RST] = "rst",
	[END_HOLD] = "hold", [END_VANISH] = "vanish",
};

struct mode {
	const char *name;
	const char *say; /* sent instead of a good answer, NULL = nothing */
	size_t say_len;	 /* 0 = strlen(say) */
	enum ending ending;
	unsigned nth; /* from this request of a conn on it misbehaves; 0 = always answers well */
	unsigned wait_ms;   /* from the request to say */
	unsigned hold_ms;   /* from say to the ending */
	unsigned idle_ms;   /* silence after a good answer until the ending; 0 = for ever */
	unsigned first_ms;  /* the first good answer of a conn takes so long */
	unsigned accept_ms; /* accept so late, then only log and close; 0 = at once */
	size_t first_bytes; /* of say, sent as a segment of their own */
	size_t read_min;    /* misbehave after so many bytes, without waiting for the rest */
	bool unread;	    /* misbehave without reading the request */
	int backlog, rcvbuf;
};

#define BYTES(s) .say = s, .say_len = sizeof(s) - 1
#define HEAD_5XX(code, reason, body_len, body)                                                \
	"HTTP/1.1 " code " " reason "\r\nServer: lab-backend\r\nContent-Type: text/plain\r\n" \
	"Content-Length: " body_len "\r\n\r\n" body

static char say_big_header[20200], say_big_body[5060];

static const struct mode modes[] = {
	{ .name = "ok" },
	{ .name = "ok-first-late", .first_ms = 30 },
	{ .name = "rst", .nth = 1, .ending = END_RST },
	{ .name = "unread", .nth = 1, .unread = true, .wait_ms = 100, .ending = END_FIN },
	{ .name = "fin", .nth = 1, .ending = END_FIN },
	{ .name = "header-fin",
	  .nth = 1,
	  .say = "HTTP/1.1 200 OK\r\nContent-Le",
	  .hold_ms = 50,
	  .ending = END_FIN },
	{ .name = "header-rst",
	  .nth = 1,
	  .say = "HTTP/1.1 200 OK\r\nContent-Le",
	  .hold_ms = 50,
	  .ending = END_RST },
	{ .name = "header-stall",
	  .nth = 1,
	  .say = "HTTP/1.1 200 OK\r\nContent-Le",
	  .ending = END_HOLD },
	{ .name = "idle-close", .first_ms = 30, .idle_ms = 150, .ending = END_FIN },
	{ .name = "idle-close-far", .idle_ms = 350, .ending = END_FIN },
	{ .name = "second-unread", .first_ms = 30, .nth = 2, .unread = true, .ending = END_FIN },
	{ .name = "second-fin", .first_ms = 30, .nth = 2, .ending = END_FIN },
	{ .name = "vanish", .first_ms = 30, .idle_ms = 150, .ending = END_VANISH },
	{ .name = "slow",
	  .nth = 1,
	  .wait_ms = 2200,
	  .say = HEAD_5XX("200", "OK", "5", "late\n"),
	  .ending = END_KEEP },
	{ .name = "silent", .nth = 1, .ending = END_HOLD },
	{ .name = "never-read", .nth = 1, .unread = true, .rcvbuf = 4096, .ending = END_HOLD },
	{ .name = "never-accept", .accept_ms = 2300, .backlog = 1 },
	{ .name = "say-502", .nth = 1, .say = HEAD_5XX("502", "Bad Gateway", "4", "bad\n") },
	{ .name = "say-503",
	  .nth = 1,
	  .say = HEAD_5XX("503", "Service Unavailable", "5", "busy\n") },
	{ .name = "say-504", .nth = 1, .say = HEAD_5XX("504", "Gateway Timeout", "5", "slow\n") },
	{ .name = "body-fin",
	  .nth = 1,
	  .say = HEAD_5XX("200", "OK", "1000", "hello"),
	  .hold_ms = 100,
	  .ending = END_FIN },
	{ .name = "body-rst",
	  .nth = 1,
	  .say = HEAD_5XX("200", "OK", "1000", "hello"),
	  .hold_ms = 100,
	  .ending = END_RST },
	{ .name = "chunked-fin",
	  .nth = 1,
	  .hold_ms = 100,
	  .ending = END_FIN,
	  .say = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n" },
	{ .name = "body-5k",
	  .nth = 1,
	  .say = say_big_body,
	  .say_len = sizeof(say_big_body),
	  .first_bytes = 60 },
	{ .name = "header-big", .nth = 1, .say = say_big_header, .say_len = sizeof(say_big_header) },
	{ .name = "header-nul",
	  .nth = 1,
	  BYTES("HTTP/1.1 200 OK\r\nX-\0bad: 1\r\nContent-Length: 3\r\n\r\nok\n") },
	{ .name = "header-space",
	  .nth = 1,
	  .say = "HTTP/1.1 200 OK\r\nX bad: 1\r\nContent-Length: 3\r\n\r\nok\n" },
	{ .name = "text",
	  .nth = 1,
	  .say = "220 mail.example ESMTP ready\r\n",
	  .hold_ms = 20,
	  .ending = END_FIN },
	{ .name = "tls-alert",
	  .nth = 1,
	  BYTES("\x15\x03\x01\x00\x02\x02\x46"),
	  .hold_ms = 20,
	  .ending = END_FIN },
	{ .name = "early-413",
	  .nth = 1,
	  .read_min = 2000,
	  .ending = END_FIN,
	  .say = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbig\n" },
};

enum stage {
	STAGE_READ,   /* waiting for a request */
	STAGE_ANSWER, /* a good answer is due */
	STAGE_SAY,    /* say is due */
	STAGE_END,    /* the ending is due */
	STAGE_HOLD,   /* waiting for the gateway to close */
};

struct port {
	int fd;
	uint16_t number;
	const struct mode *mode;
	uint64_t due_ns; /* accept_ms: when to empty the queue */
};

struct conn {
	int fd; /* same place as in struct port */
	uint16_t peer_port;
	bool is_conn;
	enum stage stage;
	struct port *port;
	struct conn *next, **link; /* all conns */
	uint64_t due_ns;	   /* 0 = none */
	unsigned nr;
	size_t len;
	char peer[INET6_ADDRSTRLEN], id[32], buf[BUF_BYTES];
};

static struct {
	int ep, log_fd;
	struct conn *conns;
	struct port *ports;
	size_t nports, log_len;
	char log[LOG_BYTES];
} app = { .log_fd = -1 };
static volatile sig_atomic_t stop;

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void log_flush(void)
{
	if (app.log_fd >= 0 && app.log_len && write(app.log_fd, app.log, app.log_len) < 0)
		app.log_fd = -1; /* disk full: the lab goes on, the join will say what is missing */
	app.log_len = 0;
}

static void log_line(const struct conn *c, const char *event)
{
	int n;

	if (app.log_fd < 0)
		return;
	if (app.log_len + 256 > sizeof(app.log))
		log_flush();
	n = snprintf(app.log + app.log_len, 256, "%llu\t%s\t%s\t%u\t%u\t%s\t%u\t%s\n",
		     (unsigned long long)now_ns(CLOCK_REALTIME) / 1000, event, c->peer,
		     c->peer_port, c->port->number, c->id[0] ? c->id : "-", c->nr,
		     c->port->mode->name);
	app.log_len += n < 256 ? (size_t)n : 255;
}

static void conn_watch(struct conn *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	epoll_ctl(app.ep, EPOLL_CTL_MOD, c->fd, &ev);
}

static void conn_set(struct conn *c, enum stage stage, uint64_t due_ns)
{
	/* A backend busy with a request does not look at its socket: HUP and ERR still wake us. */
	static const uint32_t events[] = {
		[STAGE_READ] = EPOLLIN, [STAGE_ANSWER] = 0,	   [STAGE_SAY] = 0,
		[STAGE_END] = 0,	[STAGE_HOLD] = EPOLLRDHUP,
	};

	if (events[c->stage] != events[stage])
		conn_watch(c, events[stage]);
	c->stage = stage;
	c->due_ns = due_ns;
}

static void conn_free(struct conn *c)
{
	close(c->fd);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	free(c);
}

static void conn_end(struct conn *c, enum ending how)
{
	const struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	const int on = 1;

	log_line(c, ending_names[how]);
	if (how == END_RST)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	if (how == END_VANISH) /* a socket under repair is closed without telling its peer */
		setsockopt(c->fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on));
	conn_free(c);
}

static bool conn_send(struct conn *c, const char *data, size_t len)
{
	if (send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len)
		return true;
	log_line(c, "send-failed");
	return false;
}

static void conn_good_answer(struct conn *c)
{
	char out[256];
	int n = snprintf(out, sizeof(out),
			 "HTTP/1.1 200 OK\r\nServer: lab-backend\r\nContent-Type: text/plain\r\n"
			 "Content-Length: %zu\r\n\r\nok %s\n",
			 strlen(c->id) + 4, c->id);

	if (!conn_send(c, out, (size_t)n)) {
		conn_free(c);
		return;
	}
	c->id[0] = '\0';
	conn_set(c, STAGE_READ,
		 c->port->mode->idle_ms ? now_ns(CLOCK_MONOTONIC) + c->port->mode->idle_ms * MS
					: 0);
}

/* Something is due: one step of the row's story. */
static void conn_due(struct conn *c, uint64_t now)
{
	const struct mode *m = c->port->mode;
	size_t len = m->say_len ? m->say_len : m->say ? strlen(m->say) : 0;

	switch (c->stage) {
	case STAGE_ANSWER: conn_good_answer(c); return;
	case STAGE_SAY:
		if (m->say) {
			log_line(c, "say");
			if ((m->first_bytes && !conn_send(c, m->say, m->first_bytes)) ||
			    !conn_send(c, m->say + m->first_bytes, len - m->first_bytes)) {
				conn_free(c);
				return;
			}
		}
		if (m->ending == END_KEEP)
			conn_set(c, STAGE_READ, 0);
		else if (m->ending == END_HOLD)
			conn_set(c, STAGE_HOLD, now + HOLD_MAX_NS);
		else if (m->hold_ms)
			conn_set(c, STAGE_END, now + m->hold_ms * MS);
		else
			conn_end(c, m->ending);
		return;
	case STAGE_READ: /* idle for too long */
	case STAGE_END: conn_end(c, m->ending); return;
	case STAGE_HOLD: conn_end(c, END_RST); return;
	}
}

static void conn_schedule(struct conn *c, enum stage stage, unsigned ms)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);

	conn_set(c, stage, now + ms * MS);
	if (!ms)
		conn_due(c, now);
}

/* The request id is the second element of the path: "POST /fault/ID?c=cause HTTP/1.1". */
static void conn_take_id(struct conn *c)
{
	const char *p = memchr(c->buf, '/', c->len), *end = c->buf + c->len;
	size_t n;

	c->id[0] = '\0';
	p = p ? memchr(p + 1, '/', (size_t)(end - p - 1)) : NULL;
	if (!p)
		return;
	p++;
	for (n = 0; p + n < end && n < sizeof(c->id) - 1; n++)
		if (p[n] == '?' || p[n] == ' ' || p[n] == '\r')
			break;
	memcpy(c->id, p, n);
	c->id[n] = '\0';
}

/* Bytes of the first request in buf, head and body; 0 if it is not complete. */
static size_t request_size(const struct conn *c)
{
	const char *end = memmem(c->buf, c->len, "\r\n\r\n", 4), *p;
	size_t head, body = 0;

	if (!end)
		return 0;
	head = (size_t)(end - c->buf) + 4;
	for (p = c->buf; p < end; p++)
		if (*p == '\n' && !strncasecmp(p + 1, "content-length:", 15))
			body = strtoul(p + 16, NULL, 10);
	return c->len >= head + body ? head + body : 0;
}

static void conn_readable(struct conn *c)
{
	const struct mode *m = c->port->mode;
	bool turn = m->nth && c->nr + 1 >= m->nth;
	size_t size;
	ssize_t n;

	if (turn && m->unread) {
		c->nr++;
		log_line(c, "unread");
		conn_schedule(c, STAGE_SAY, m->wait_ms);
		return;
	}
	if (c->len == sizeof(c->buf)) /* a long body: only its head is of interest */
		c->len = sizeof(c->buf) / 2;
	n = recv(c->fd, c->buf + c->len, sizeof(c->buf) - c->len, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		log_line(c, n ? "peer-reset" : "peer-closed");
		conn_free(c);
		return;
	}
	c->len += (size_t)n;
	size = request_size(c);
	if (!size && !(turn && m->read_min && c->len >= m->read_min))
		return;
	conn_take_id(c);
	c->nr++;
	log_line(c, "request");
	c->len = 0; /* the gateway does not pipeline */
	if (turn)
		conn_schedule(c, STAGE_SAY, m->wait_ms);
	else
		conn_schedule(c, STAGE_ANSWER, c->nr == 1 ? m->first_ms : 0);
}

static struct conn *conn_accept(struct port *p)
{
	struct sockaddr_in6 sa;
	socklen_t len = sizeof(sa);
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = accept4(p->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct conn *c;

	if (fd < 0)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return NULL;
	}
	c->fd = fd;
	c->is_conn = true;
	c->port = p;
	c->peer_port = ntohs(sa.sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&sa.sin6_addr))
		inet_ntop(AF_INET, sa.sin6_addr.s6_addr + 12, c->peer, sizeof(c->peer));
	else
		inet_ntop(AF_INET6, &sa.sin6_addr, c->peer, sizeof(c->peer));
	c->next = app.conns;
	c->link = &app.conns;
	if (c->next)
		c->next->link = &c->next;
	app.conns = c;
	ev.data.ptr = c;
	epoll_ctl(app.ep, EPOLL_CTL_ADD, fd, &ev);
	log_line(c, "accept");
	return c;
}

/* The queue of a port that never accepts: log whose request waited in it, and drop them. */
static void port_drain(struct port *p)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT, .data.ptr = p };
	struct conn *c;
	ssize_t n;

	p->due_ns = 0;
	while ((c = conn_accept(p))) {
		n = recv(c->fd, c->buf, sizeof(c->buf), MSG_DONTWAIT);
		c->len = n > 0 ? (size_t)n : 0;
		conn_take_id(c);
		log_line(c, "queued");
		conn_free(c);
	}
	epoll_ctl(app.ep, EPOLL_CTL_MOD, p->fd, &ev);
}

static void port_ready(struct port *p)
{
	if (p->mode->accept_ms) {
		p->due_ns = now_ns(CLOCK_MONOTONIC) + p->mode->accept_ms * MS;
		return;
	}
	while (conn_accept(p))
		;
}

static int port_open(struct port *p)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_port = htons(p->number) };
	struct epoll_event ev = { .events = EPOLLIN | (p->mode->accept_ms ? EPOLLONESHOT : 0),
				  .data.ptr = p };
	const int on = 1, off = 0;

	p->fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return -errno;
	setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(p->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (p->mode->rcvbuf)
		setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &p->mode->rcvbuf, sizeof(int));
	if (bind(p->fd, (struct sockaddr *)&sa, sizeof(sa)) ||
	    listen(p->fd, p->mode->backlog ? p->mode->backlog : 1024) ||
	    epoll_ctl(app.ep, EPOLL_CTL_ADD, p->fd, &ev))
		return -errno;
	return 0;
}

static int port_parse(struct port *p, const char *arg)
{
	char *end;
	unsigned long number = strtoul(arg, &end, 10);

	if (*end != ':' || number == 0 || number > 65535)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!strcmp(modes[i].name, end + 1)) {
			p->number = (uint16_t)number;
			p->mode = &modes[i];
			return 0;
		}
	}
	return -ENOENT;
}

/* Runs what is due; returns the milliseconds until the next thing is, -1 = nothing. */
static int run_due(void)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC), next = UINT64_MAX;
	struct conn *c, *after;

	for (c = app.conns; c; c = after) {
		after = c->next;
		if (c->due_ns && c->due_ns <= now)
			conn_due(c, now);
	}
	for (c = app.conns; c; c = c->next)
		if (c->due_ns && c->due_ns < next)
			next = c->due_ns;
	for (struct port *p = app.ports; p < app.ports + app.nports; p++) {
		if (p->due_ns && p->due_ns <= now)
			port_drain(p);
		else if (p->due_ns && p->due_ns < next)
			next = p->due_ns;
	}
	if (next == UINT64_MAX)
		return -1;
	now = now_ns(CLOCK_MONOTONIC);
	return next <= now ? 0 : (int)((next - now + MS - 1) / MS);
}

static void loop(void)
{
	struct epoll_event ev[256];
	int n, i, wait_ms;

	while (!stop) {
		wait_ms = run_due();
		log_flush();
		n = epoll_wait(app.ep, ev, 256, wait_ms);
		for (i = 0; i < n; i++) {
			struct conn *c = ev[i].data.ptr;

			/* Ports live in one array, conns elsewhere. */
			if ((struct port *)(void *)c >= app.ports &&
			    (struct port *)(void *)c < app.ports + app.nports) {
				port_ready((void *)c);
			} else if (c->stage == STAGE_READ) {
				conn_readable(c);
			} else {
				log_line(c, "peer-gone");
				conn_free(c);
			}
		}
	}
	log_flush();
}

static void on_signal(int sig)
{
	stop = 1;
}

static void fill_long_answers(void)
{
	int n;

	memset(say_big_header, 'b', sizeof(say_big_header));
	memcpy(say_big_header, "HTTP/1.1 200 OK\r\nX-Big: ", 24);
	memcpy(say_big_header + sizeof(say_big_header) - 26, "\r\nContent-Length: 3\r\n\r\nok\n",
	       26);
	memset(say_big_body, 'b', sizeof(say_big_body));
	n = snprintf(say_big_body, 128, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
		     sizeof(say_big_body) - 41); /* 41 = length of this head */
	say_big_body[n] = 'b';
}

static int daemonize(const char *pidfile)
{
	pid_t pid = fork();
	FILE *f;
	int null;

	if (pid < 0)
		return -errno;
	if (pid > 0) {
		f = pidfile ? fopen(pidfile, "w") : NULL;
		if (f) {
			fprintf(f, "%d\n", (int)pid);
			fclose(f);
		}
		_exit(0);
	}
	setsid();
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: lab-backend [-f] [-m] [-l LOG] [-p PIDFILE] PORT:MODE...\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct rlimit files = { .rlim_cur = 65536, .rlim_max = 65536 };
	const char *pidfile = NULL;
	bool foreground = false;
	int opt, err;

	while ((opt = getopt(argc, argv, "fml:p:")) != -1) {
		if (opt == 'f') {
			foreground = true;
		} else if (opt == 'm') {
			for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
				puts(modes[i].name);
			return 0;
		} else if (opt == 'p') {
			pidfile = optarg;
		} else if (opt == 'l') {
			app.log_fd = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
			if (app.log_fd < 0)
				return perror(optarg), 1;
		} else {
			return usage();
		}
	}
	if (optind == argc)
		return usage();
	fill_long_answers();
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	app.ep = epoll_create1(EPOLL_CLOEXEC);
	app.nports = (size_t)(argc - optind);
	app.ports = calloc(app.nports, sizeof(*app.ports));
	if (app.ep < 0 || !app.ports)
		return perror("lab-backend"), 1;
	for (size_t i = 0; i < app.nports; i++) {
		err = port_parse(&app.ports[i], argv[optind + (int)i]);
		if (!err)
			err = port_open(&app.ports[i]);
		if (err) {
			fprintf(stderr, "lab-backend: %s: %s\n", argv[optind + (int)i],
				strerror(-err));
			return 1;
		}
	}
	if (!foreground && daemonize(pidfile))
		return perror("lab-backend: fork"), 1;
	loop();
	return 0;
}
