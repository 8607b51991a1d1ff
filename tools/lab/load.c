// SPDX-License-Identifier: BSD-2-Clause
/*
 * lab-load: HTTP load whose truth is known. One epoll loop, open-loop pacing. In: the fault
 * table, a rate, how many injections of which fault. Out: one truth line per request,
 *
 *   id  fault  expected_cause  expected_upstream  sent_us  status  bytes  complete  lport  took_us
 *
 * status: as received, 9 = bytes that are not HTTP/1, 0 = closed without a byte, "abort" = we
 * left, -1 = no end within 20 s. Requests are METHOD /FAULT/ID?c=CAUSE, ID = run tag + number.
 * Healthy requests and most faulty ones share a pool of keep-alive conns; a fault with
 * prime=MS takes conns of its own, batch of them at once (same worker for both requests).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS	     1000000ull
#define SEC	     1000000000ull
#define FAULTS_MAX   128
#define CONNS_MAX    2048
#define BATCH_MAX    32
#define HEAD_BYTES   4096
#define STUCK_NS     (20 * SEC)
#define POST_PERCENT 30

struct fault {
	char set[8], name[40], cause[80], method[8], upstream[64];
	unsigned prime_ms, batch, abort_ms;
	size_t body;
	bool is_chosen;
	double every_ns; /* between two injections (or batches) */
	uint64_t next_ns;
	unsigned left;	  /* injections to go; UINT32_MAX = for ever */
	unsigned running; /* members of a batch under way */
	unsigned count;	  /* sent, to alternate methods */
};

enum state { FREE, CONNECTING, IDLE, SENDING, WAITING, GAP };

struct conn {
	int fd;
	enum state state;
	struct fault *fault;
	bool own, prime; /* not of the pool; the first request of a pair */
	uint64_t due_ns, sent_ns, sent_us;
	uint64_t id;
	uint16_t lport;
	char out[512];
	size_t out_len, out_off, body_left;
	char head[HEAD_BYTES];
	size_t head_len, got;
	bool head_done, chunked, close;
	int status;
	size_t body_want, body_got;
	char tail[8]; /* last bytes of a chunked body */
};

static struct {
	struct fault faults[FAULTS_MAX];
	size_t nfaults;
	struct conn conns[CONNS_MAX];
	size_t nconns; /* highest used + 1 */
	struct conn *idle[CONNS_MAX];
	size_t nidle;
	struct sockaddr_storage server;
	socklen_t server_len;
	char host[64];
	int ep;
	FILE *truth;
	unsigned tag;
	uint64_t next_id, healthy, healthy_bad, faulty, in_flight, refused;
} app;
static const char filler[65536];
static volatile sig_atomic_t stop;

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * SEC + (uint64_t)ts.tv_nsec;
}

/* ---- the fault table ------------------------------------------------------------------ */

static char *field(char **line)
{
	char *s = *line, *p = s, *end;

	while (*p && !(*p == '|' && (p == s || p[-1] != '\\')))
		p++;
	*line = *p ? p + 1 : p;
	*p = '\0';
	s += strspn(s, " \t");
	for (end = s + strlen(s); end > s && strchr(" \t\n", end[-1]); end--)
		end[-1] = '\0';
	return s;
}

static void copy(char *out, size_t cap, const char *in)
{
	size_t n = 0;

	for (; *in && n + 1 < cap; in++)
		if (*in != '\\')
			out[n++] = *in;
	out[n] = '\0';
}

/* "be:9001,max_fails=0 be:9000,backup" -> the last peer, which decides: 10.77.3.2:9000 */
static void upstream_of(char *out, size_t cap, char *peers)
{
	static const struct {
		const char *name, *addr;
	} hosts[] = {
		{ "be:", "10.77.3.2:" },
		{ "be6:", "[fd77:3::2]:" },
		{ "far:", "10.77.4.2:" },
	};
	char *last = strrchr(peers, ' ');

	last = last ? last + 1 : peers;
	last[strcspn(last, ",")] = '\0';
	for (size_t i = 0; i < 3; i++) {
		if (!strncmp(last, hosts[i].name, strlen(hosts[i].name))) {
			snprintf(out, cap, "%s%s", hosts[i].addr, last + strlen(hosts[i].name));
			return;
		}
	}
	copy(out, cap, last);
}

static void load_opts(struct fault *f, char *opts)
{
	for (char *o = strtok(opts, ","); o; o = strtok(NULL, ",")) {
		if (sscanf(o, "prime=%u", &f->prime_ms) == 1 ||
		    sscanf(o, "batch=%u", &f->batch) == 1 ||
		    sscanf(o, "abort=%u", &f->abort_ms) == 1 ||
		    sscanf(o, "body=%zu", &f->body) == 1)
			continue;
		fprintf(stderr, "lab-load: %s: unknown option %s\n", f->name, o);
		exit(2);
	}
	if (!f->batch)
		f->batch = 1;
	if (f->batch > BATCH_MAX)
		f->batch = BATCH_MAX;
}

static int table_read(const char *path)
{
	FILE *in = fopen(path, "r");
	char line[1024], *p;
	struct fault *f;

	if (!in)
		return -errno;
	while (fgets(line, sizeof(line), in) && app.nfaults < FAULTS_MAX) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		p = line;
		f = &app.faults[app.nfaults++];
		copy(f->set, sizeof(f->set), field(&p));
		copy(f->name, sizeof(f->name), field(&p));
		copy(f->cause, sizeof(f->cause), field(&p));
		copy(f->method, sizeof(f->method), field(&p));
		field(&p); /* status: judged by whoever reads the truth */
		upstream_of(f->upstream, sizeof(f->upstream), field(&p));
		field(&p); /* backend */
		field(&p); /* middle */
		load_opts(f, field(&p));
	}
	fclose(in);
	return 0;
}

/* ---- conns ---------------------------------------------------------------------------- */

static void watch(struct conn *c, uint32_t events, int op)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	epoll_ctl(app.ep, op, c->fd, &ev);
}

static struct conn *conn_open(bool own)
{
	struct sockaddr_storage local;
	socklen_t len = sizeof(local);
	struct conn *c;
	size_t i;

	for (i = 0; i < CONNS_MAX && app.conns[i].state != FREE; i++)
		;
	if (i == CONNS_MAX)
		return NULL;
	c = &app.conns[i];
	memset(c, 0, sizeof(*c));
	c->fd = socket(app.server.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return NULL;
	if (connect(c->fd, (struct sockaddr *)&app.server, app.server_len) &&
	    errno != EINPROGRESS) {
		close(c->fd);
		return NULL;
	}
	getsockname(c->fd, (struct sockaddr *)&local, &len);
	c->lport = ntohs(((struct sockaddr_in *)&local)->sin_port); /* same place in IPv6 */
	c->own = own;
	c->state = IDLE; /* a request may be queued before the handshake is over */
	watch(c, EPOLLIN, EPOLL_CTL_ADD);
	if (i >= app.nconns)
		app.nconns = i + 1;
	return c;
}

static void conn_close(struct conn *c)
{
	for (size_t i = 0; i < app.nidle; i++)
		if (app.idle[i] == c)
			app.idle[i--] = app.idle[--app.nidle];
	close(c->fd);
	c->state = FREE;
}

static struct conn *pool_get(void)
{
	return app.nidle ? app.idle[--app.nidle] : conn_open(false);
}

/* Sends what is left of the request; false: the gateway closed on us. */
static bool conn_push(struct conn *c)
{
	ssize_t n = 0;
	bool was_blocked = c->state == SENDING;

	while (n >= 0 && (c->out_off < c->out_len || c->body_left)) {
		if (c->out_off < c->out_len)
			n = send(c->fd, c->out + c->out_off, c->out_len - c->out_off,
				 MSG_NOSIGNAL | (c->body_left ? MSG_MORE : 0));
		else
			n = send(c->fd, filler,
				 c->body_left < sizeof(filler) ? c->body_left : sizeof(filler),
				 MSG_NOSIGNAL);
		if (n < 0)
			break;
		if (c->out_off < c->out_len)
			c->out_off += (size_t)n;
		else
			c->body_left -= (size_t)n;
	}
	if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
		c->state = SENDING;
		watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
		return true;
	}
	c->state = WAITING;
	if (was_blocked)
		watch(c, EPOLLIN, EPOLL_CTL_MOD);
	return n >= 0;
}

static void result(struct conn *c, bool complete, const char *override)
{
	struct fault *f = c->fault;
	bool healthy = !strcmp(f->cause, "none") || c->prime;
	char status[16];

	snprintf(status, sizeof(status), "%d", c->got ? c->status : 0);
	if (healthy && (override || c->status != 200 || !complete))
		app.healthy_bad++;
	if (app.truth)
		fprintf(app.truth, "%04x%08llu\t%s\t%s\t%s\t%llu\t%s\t%zu\t%d\t%u\t%llu\n", app.tag,
			(unsigned long long)c->id, f->name, c->prime ? "none" : f->cause,
			f->upstream, (unsigned long long)c->sent_us, override ? override : status,
			c->got, complete, c->lport,
			(unsigned long long)(now_ns(CLOCK_MONOTONIC) - c->sent_ns) / 1000);
	app.in_flight--;
}

/* A request ended; keep says whether the conn can carry another one. */
static void conn_done(struct conn *c, bool complete, bool keep, const char *override)
{
	struct fault *f = c->fault;

	result(c, complete, override);
	if (c->own && c->prime && complete && keep) {
		c->state = GAP;
		c->due_ns = now_ns(CLOCK_MONOTONIC) + f->prime_ms * MS;
		return;
	}
	if (c->own) {
		f->running--;
		conn_close(c);
	} else if (keep) {
		c->state = IDLE;
		c->due_ns = 0;
		app.idle[app.nidle++] = c;
	} else {
		conn_close(c);
	}
}

static void conn_request(struct conn *c, struct fault *f, bool prime)
{
	bool post = !strcmp(f->method, "ANY") ? f->count % 100 * 37 % 100 < POST_PERCENT
					      : !strcmp(f->method, "POST");
	size_t body = f->body ? f->body : 16 + f->count % 200;

	if (prime)
		post = false;
	else
		f->count++;
	c->fault = f;
	c->prime = prime;
	c->id = app.next_id++;
	c->head_len = c->got = c->body_got = c->body_want = c->out_off = 0;
	c->head_done = c->chunked = c->close = false;
	c->status = 0;
	c->body_left = post ? body : 0;
	c->out_len = (size_t)snprintf(
		c->out, sizeof(c->out),
		"%s /%s/%04x%08llu?c=%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: lab-load\r\n",
		post ? "POST" : "GET", f->name, app.tag, (unsigned long long)c->id,
		prime ? "none" : f->cause, app.host);
	c->out_len += (size_t)snprintf(c->out + c->out_len, sizeof(c->out) - c->out_len,
				       post ? "Content-Length: %zu\r\n\r\n" : "\r\n", body);
	c->sent_ns = now_ns(CLOCK_MONOTONIC);
	c->sent_us = now_ns(CLOCK_REALTIME) / 1000;
	c->due_ns = c->sent_ns + (f->abort_ms ? f->abort_ms * MS : STUCK_NS);
	app.in_flight++;
	c->state = WAITING;
	if (!conn_push(c))
		c->due_ns = c->sent_ns + STUCK_NS; /* the answer may still be there to read */
}

/* ---- responses ------------------------------------------------------------------------ */

static void parse_head(struct conn *c, size_t size)
{
	char *p = c->head, *end = c->head + size;

	c->head_done = true;
	c->body_want = SIZE_MAX;
	c->status = size > 12 && !strncmp(p, "HTTP/1.", 7) ? atoi(p + 9) : 9;
	for (; p < end && (p = memchr(p, '\n', (size_t)(end - p)));) {
		p++;
		if (!strncasecmp(p, "content-length:", 15))
			c->body_want = strtoul(p + 15, NULL, 10);
		else if (!strncasecmp(p, "transfer-encoding: chunked", 26))
			c->chunked = true;
		else if (!strncasecmp(p, "connection: close", 17))
			c->close = true;
	}
	if (c->chunked)
		c->body_want = SIZE_MAX;
}

static bool chunks_ended(const struct conn *c)
{
	return c->chunked && !memcmp(c->tail + 1, "\r\n0\r\n\r\n", 7);
}

static void take_body(struct conn *c, const char *data, size_t len)
{
	size_t n = len < 8 ? len : 8;

	c->body_got += len;
	memmove(c->tail, c->tail + n, 8 - n);
	memcpy(c->tail + 8 - n, data + len - n, n);
}

/* Returns true when the response is complete. */
static bool take(struct conn *c, const char *data, size_t len)
{
	const char *end;
	size_t n, size;

	c->got += len;
	if (!c->head_done) {
		n = sizeof(c->head) - 1 - c->head_len;
		n = n < len ? n : len;
		memcpy(c->head + c->head_len, data, n);
		c->head_len += n;
		c->head[c->head_len] = '\0';
		if (strncmp(c->head, "HTTP/1.", c->head_len < 7 ? c->head_len : 7)) {
			/* Not HTTP/1: no length to wait for, and nginx may keep the conn open. */
			c->status = 9;
			c->due_ns = now_ns(CLOCK_MONOTONIC) + 500 * MS;
			return false;
		}
		end = memmem(c->head, c->head_len, "\r\n\r\n", 4);
		if (!end)
			return false;
		size = (size_t)(end - c->head) + 4;
		parse_head(c, size);
		memcpy(c->tail + 6, "\r\n", 2); /* an empty chunked body ends right here */
		take_body(c, c->head + size, c->head_len - size);
		data += n;
		len -= n;
	}
	take_body(c, data, len);
	return c->body_got >= c->body_want || chunks_ended(c);
}

static void on_readable(struct conn *c)
{
	char buf[65536];
	ssize_t n;

	for (;;) {
		n = recv(c->fd, buf, sizeof(buf), 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			break;
		if (c->state != WAITING && c->state != SENDING)
			continue; /* nothing was asked */
		if (take(c, buf, (size_t)n)) {
			conn_done(c, true, !c->close && c->state == WAITING, NULL);
			return;
		}
	}
	if (c->state == WAITING || c->state == SENDING) {
		conn_done(c, c->head_done && c->body_want == SIZE_MAX && !c->chunked && !n, false,
			  NULL);
	} else {
		if (c->state == GAP)
			c->fault->running--;
		conn_close(c);
	}
}

static void on_due(struct conn *c)
{
	if (c->state == GAP)
		conn_request(c, c->fault, false);
	else
		conn_done(c, false, false,
			  c->status == 9		    ? NULL
			  : c->fault->abort_ms && !c->prime ? "abort"
							    : "-1");
}

/* ---- pacing --------------------------------------------------------------------------- */

static void inject(struct fault *f)
{
	unsigned n = f->batch < f->left ? f->batch : f->left;
	struct conn *c;

	for (unsigned i = 0; i < n; i++) {
		c = f->prime_ms || f->batch > 1 ? conn_open(true) : pool_get();
		if (!c) {
			app.refused++;
			continue;
		}
		f->running += c->own;
		if (f->left != UINT32_MAX)
			f->left--;
		app.faulty++;
		conn_request(c, f, f->prime_ms > 0);
	}
}

static bool injections_left(void)
{
	for (size_t i = 0; i < app.nfaults; i++)
		if (app.faults[i].is_chosen && app.faults[i].left)
			return true;
	return false;
}

static void pace_faults(uint64_t now)
{
	for (struct fault *f = app.faults; f < app.faults + app.nfaults; f++) {
		/* A batch waits for the one before: its conns must not mix with the next one's. */
		if (!f->is_chosen || !f->left || f->next_ns > now || (f->batch > 1 && f->running))
			continue;
		inject(f);
		f->next_ns += (uint64_t)f->every_ns;
		if (f->next_ns < now)
			f->next_ns = now;
	}
}

static void pace_healthy(uint64_t elapsed_ns, double rate)
{
	static size_t turn;
	uint64_t want = (uint64_t)((double)elapsed_ns / SEC * rate);
	struct fault *f;
	struct conn *c;

	while (app.healthy + app.faulty < want) {
		do {
			f = &app.faults[turn++ % app.nfaults];
		} while (strcmp(f->set, "ok"));
		c = pool_get();
		if (!c) { /* every conn is busy: the gateway cannot keep up */
			app.refused++;
			return;
		}
		app.healthy++;
		conn_request(c, f, false);
	}
}

static void scan_due(uint64_t now)
{
	for (size_t i = 0; i < app.nconns; i++) {
		struct conn *c = &app.conns[i];

		if (c->state >= SENDING && c->due_ns <= now)
			on_due(c);
	}
}

static int run(double rate, double seconds)
{
	uint64_t start = now_ns(CLOCK_MONOTONIC), now, hard_end;
	struct epoll_event ev[512];
	bool issuing = true;
	int i, n;

	hard_end = seconds > 0 ? start + (uint64_t)(seconds * 3 * SEC) + 30 * SEC : UINT64_MAX;
	while (issuing || app.in_flight) {
		now = now_ns(CLOCK_MONOTONIC);
		if (stop || now > hard_end)
			break;
		if (issuing && seconds > 0 && now - start > (uint64_t)(seconds * SEC) &&
		    !injections_left())
			issuing = false;
		for (size_t k = 0; k < app.nfaults; k++) /* second halves of pairs to come */
			if (!issuing && app.faults[k].running)
				issuing = true;
		if (issuing) {
			pace_faults(now);
			pace_healthy(now - start, rate);
		}
		scan_due(now);
		n = epoll_wait(app.ep, ev, 512, 1);
		for (i = 0; i < n; i++) {
			struct conn *c = ev[i].data.ptr;

			if (c->state == SENDING && (ev[i].events & EPOLLOUT) && !conn_push(c))
				on_readable(c);
			else if (c->state != FREE && (ev[i].events & ~(uint32_t)EPOLLOUT))
				on_readable(c);
		}
	}
	if (app.truth)
		fclose(app.truth);
	printf("sent %llu requests in %.1f s: %llu healthy (%llu not answered well), %llu faulty, "
	       "%llu unfinished, %llu not sent\n",
	       (unsigned long long)(app.healthy + app.faulty),
	       (double)(now_ns(CLOCK_MONOTONIC) - start) / SEC, (unsigned long long)app.healthy,
	       (unsigned long long)app.healthy_bad, (unsigned long long)app.faulty,
	       (unsigned long long)app.in_flight, (unsigned long long)app.refused);
	return app.healthy_bad || app.in_flight || app.refused ? 1 : 0;
}

/* ---- options -------------------------------------------------------------------------- */

/* MIX is "SET|FAULT[@RATE][+START_S],...": RATE per second instead of N over the duration. */
static int choose(char *mix, unsigned count, double seconds)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	char name[64];
	double rate, start;
	bool found;

	for (char *m = strtok(mix, ","); m; m = strtok(NULL, ",")) {
		char *at = strchr(m, '@'), *plus = strchr(m, '+');

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(m, "@+"), m);
		rate = at ? strtod(at + 1, NULL) : count / (seconds > 0 ? seconds : 1);
		start = plus ? strtod(plus + 1, NULL) : 0;
		found = false;
		for (struct fault *f = app.faults; f < app.faults + app.nfaults; f++) {
			if ((strcmp(f->name, name) && strcmp(f->set, name)) ||
			    !strcmp(f->set, "ok"))
				continue;
			found = f->is_chosen = true;
			f->left = at ? UINT32_MAX : count;
			f->every_ns = rate > 0 ? (double)SEC / rate * f->batch : 0;
			/* spread the beginnings: faults must not all strike in the same tick */
			f->next_ns = now + (uint64_t)(start * SEC) +
				     (uint64_t)(f->every_ns * (double)(f - app.faults) /
						(double)app.nfaults);
		}
		if (!found) {
			fprintf(stderr, "lab-load: no fault or set named %s\n", name);
			return -ENOENT;
		}
	}
	return 0;
}

static int parse_server(char *arg)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&app.server;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&app.server;
	char *colon = strrchr(arg, ':');

	if (!colon)
		return -EINVAL;
	snprintf(app.host, sizeof(app.host), "%s", arg);
	*colon = '\0';
	if (arg[0] == '[') {
		arg[strcspn(arg, "]")] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)atoi(colon + 1));
		app.server_len = sizeof(*v6);
		return inet_pton(AF_INET6, arg + 1, &v6->sin6_addr) == 1 ? 0 : -EINVAL;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)atoi(colon + 1));
	app.server_len = sizeof(*v4);
	return inet_pton(AF_INET, arg, &v4->sin_addr) == 1 ? 0 : -EINVAL;
}

static void on_signal(int sig)
{
	stop = 1;
}

static int daemonize(const char *pidfile)
{
	pid_t pid = fork();
	int null;
	FILE *f;

	if (pid < 0)
		return -errno;
	if (pid > 0) {
		f = fopen(pidfile, "w");
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
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit files = { .rlim_cur = 65536, .rlim_max = 65536 };
	const char *table = "tools/lab/faults.tab", *truth = NULL, *pidfile = NULL;
	double rate = 2000, seconds = 10;
	char *mix = NULL, *server = NULL;
	unsigned count = 20;
	int opt;

	while ((opt = getopt(argc, argv, "t:s:o:r:n:d:x:p:")) != -1) {
		switch (opt) {
		case 't': table = optarg; break;
		case 's': server = optarg; break;
		case 'o': truth = optarg; break;
		case 'r': rate = strtod(optarg, NULL); break;
		case 'n': count = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'd': seconds = strtod(optarg, NULL); break;
		case 'x': mix = optarg; break;
		case 'p': pidfile = optarg; break;
		default:
			server = NULL;
			optind = argc;
			break;
		}
	}
	if (!server || parse_server(server)) {
		fprintf(stderr,
			"usage: lab-load -s IP:PORT [-t TABLE] [-o TRUTH] [-r RATE] [-n N] [-d SECONDS]\n"
			"                [-x SET|FAULT[@RATE][+START],...] [-p PIDFILE (daemon)]\n");
		return 2;
	}
	if (table_read(table) || (truth && !(app.truth = fopen(truth, "a")))) {
		fprintf(stderr, "lab-load: %s: %s\n", app.nfaults ? truth : table, strerror(errno));
		return 1;
	}
	if (mix && choose(mix, count, seconds))
		return 2;
	if (getrandom(&app.tag, sizeof(app.tag), 0) < 0)
		return perror("lab-load"), 1;
	app.tag &= 0xffff;
	if (pidfile && daemonize(pidfile))
		return perror("lab-load: fork"), 1;
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	app.ep = epoll_create1(EPOLL_CLOEXEC);
	return run(rate, seconds);
}
