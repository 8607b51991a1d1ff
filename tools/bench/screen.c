// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench-screen WHY502 [RATE [SECONDS [COLSxROWS [KEYS]]]]: is the view in the way when it rains
 * bad exchanges? Starts the program on a pseudo-terminal, feeds it a made-up trace of RATE
 * bad exchanges per second (5000) through a FIFO, presses KEYS, and then opens and leaves the
 * help page over and over. Prints frames per second, how long a key took to be answered, CPU, memory, and how
 * long the program did not take what was fed (the FIFO was full).
 *
 * A frame is what arrives without a pause of 4 ms; a key is answered when the help page's
 * first word has come. Needs no root.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../../tests/lib/rec.h"
#include "base/util.h"
#include "source/trace.h"

#define NS	      1000000000ull
#define FRAME_GAP_NS  4000000ull
#define BATCH_NS      10000000ull
#define KEY_EVERY_NS  370000000ull /* not a multiple of the frame's 100 ms */
#define KEYS_MAX      1000
#define UPSTREAMS     8
#define CLIENTS	      64
#define ANSWER	      "KEYS" /* first word of the help page */
#define ANSWER_MAX_NS (5 * NS)

struct feed {
	const char *path;
	unsigned rate;
	double seconds;
	atomic_bool stop;
	uint64_t fed, behind_ns; /* behind: longest time the reader was late by */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS + (uint64_t)ts.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "bench-screen: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- what is fed ---- */

static bool put(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool put_start(int fd)
{
	struct trace_header head = { .magic = TRACE_MAGIC,
				     .abi = W5_ABI_VERSION,
				     .endian = TRACE_ENDIAN };
	struct w5_session s = { .h = { .ts_ns = REC_T0, .type = W5_REC_SESSION, .size = sizeof(s) },
				.realtime_ns = 1795000000ull * NS,
				.abi = W5_ABI_VERSION,
				.host = "gw-03" };
	struct w5_gateway g = { .h = { .ts_ns = REC_T0, .type = W5_REC_GATEWAY, .size = sizeof(g) },
				.tgid = REC_GW,
				.group = REC_GW,
				.nports = 1,
				.ports = { 80 },
				.comm = "nginx" };

	return put(fd, &head, sizeof(head)) && put(fd, &s, sizeof(s)) && put(fd, &g, sizeof(g));
}

/* One request, one refused connect, one 502. */
static bool put_bad(int fd, uint64_t i, double t)
{
	char target[64];
	struct w5_leg down, up;

	snprintf(target, sizeof(target), "/api/items/%llu", (unsigned long long)i);
	down = rec_down(1000000 + i * 2, t, "GET", target);
	down.remote = rec_ip(100 + (unsigned)(i % CLIENTS));
	up = rec_connect(1000001 + i * 2, t + 0.01, 10 + (unsigned)(i % UPSTREAMS), ECONNREFUSED,
			 t + 0.02);
	rec_tie(&up, &down);
	rec_answer(&down, t + 0.03, 502);
	return put(fd, &up, sizeof(up)) && put(fd, &down, sizeof(down));
}

static void *feeder(void *arg)
{
	struct feed *f = arg;
	int fd = open(f->path, O_WRONLY | O_CLOEXEC);
	uint64_t start = now_ns(), i = 0;
	bool ok = fd >= 0 && put_start(fd);

	while (ok && !f->stop) {
		uint64_t at = now_ns(), due = (uint64_t)((double)(at - start) / NS * f->rate);
		struct w5_hdr tick = { .type = W5_REC_TICK, .size = sizeof(tick) };

		for (; ok && i < due; i++)
			ok = put_bad(fd, i, 1000 + (double)i * 1000 / f->rate);
		tick.ts_ns = ms(1000 + (double)i * 1000 / f->rate);
		ok = ok && put(fd, &tick, sizeof(tick));
		f->behind_ns = max_u64(f->behind_ns, now_ns() - at);
		if (at - start > f->seconds * NS)
			break;
		poll(NULL, 0, BATCH_NS / 1000000);
	}
	f->fed = i;
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* ---- the terminal ---- */

struct term {
	int fd;
	uint64_t frames, bytes, last_ns;
	char tail[sizeof(ANSWER)]; /* an answer may lie across two reads */
};

static bool found(struct term *t, const char *buf, size_t n)
{
	char both[sizeof(t->tail) + 8192];
	size_t len = strlen(t->tail), keep;
	bool hit;

	memcpy(both, t->tail, len);
	memcpy(both + len, buf, n);
	len += n;
	hit = memmem(both, len, ANSWER, strlen(ANSWER)) != NULL;
	keep = min_size(len, strlen(ANSWER) - 1);
	memcpy(t->tail, both + len - keep, keep);
	t->tail[hit ? 0 : keep] = '\0';
	return hit;
}

/* Reads what is drawn until then; true as soon as the answer is seen, if one is awaited. */
static bool watch(struct term *t, uint64_t until_ns, bool for_answer)
{
	char buf[8192];

	t->tail[0] = '\0';
	for (;;) {
		uint64_t now = now_ns();
		struct pollfd p = { .fd = t->fd, .events = POLLIN };
		ssize_t n;

		if (now >= until_ns)
			return false;
		if (poll(&p, 1, (int)((until_ns - now) / 1000000) + 1) <= 0)
			continue;
		n = read(t->fd, buf, sizeof(buf));
		if (n <= 0)
			return false;
		now = now_ns();
		t->frames += now - t->last_ns > FRAME_GAP_NS;
		t->last_ns = now;
		t->bytes += (uint64_t)n;
		if (found(t, buf, (size_t)n) && for_answer)
			return true;
	}
}

static pid_t start(struct term *t, const char *program, const char *fifo, struct winsize *ws)
{
	char *name;
	pid_t pid;

	t->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->fd < 0 || grantpt(t->fd) || unlockpt(t->fd))
		die("no pseudo-terminal");
	name = ptsname(t->fd);
	ioctl(t->fd, TIOCSWINSZ, ws);
	pid = fork();
	if (pid)
		return pid;
	setsid();
	for (int fd = 0; fd < 3; fd++) {
		int tty = open(name, O_RDWR);

		if (tty >= 0 && tty != fd)
			dup2(tty, fd);
	}
	setenv("TERM", "xterm-256color", 1);
	execl(program, program, "-r", fifo, (char *)NULL);
	_exit(127);
}

/* ---- what it costs ---- */

static double cpu_seconds(pid_t pid)
{
	char path[64], buf[1024], *p;
	unsigned long u = 0, s = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fgets(buf, sizeof(buf), f) && (p = strrchr(buf, ')')))
		sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &u, &s);
	fclose(f);
	return (double)(u + s) / (double)sysconf(_SC_CLK_TCK);
}

static double peak_mib(pid_t pid)
{
	char path[64], line[256];
	unsigned long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmHWM: %lu kB", &kib);
	if (f)
		fclose(f);
	return (double)kib / 1024;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double at(const uint64_t *v, size_t n, double q)
{
	return n ? (double)v[min_size((size_t)((double)n * q), n - 1)] / 1e6 : NAN;
}

/* The help page opened and left again, until the time is over. */
struct pressed {
	uint64_t took[KEYS_MAX]; /* until it was answered */
	size_t n, missed;
	double cpu, seconds;
};

static void press_keys(struct pressed *k, struct term *t, pid_t pid, double seconds)
{
	uint64_t begin = now_ns(), end = begin + (uint64_t)(seconds * NS);

	k->cpu = cpu_seconds(pid);
	t->frames = t->bytes = 0;
	while (now_ns() < end && k->n + k->missed < KEYS_MAX) {
		uint64_t pressed = now_ns();

		put(t->fd, "?", 1);
		if (watch(t, pressed + ANSWER_MAX_NS, true))
			k->took[k->n++] = now_ns() - pressed;
		else
			k->missed++;
		watch(t, now_ns() + KEY_EVERY_NS, false);
		put(t->fd, "q", 1);
		watch(t, now_ns() + KEY_EVERY_NS, false);
	}
	k->seconds = (double)(now_ns() - begin) / NS;
	k->cpu = cpu_seconds(pid) - k->cpu;
}

static void print_pressed(struct pressed *k, const struct term *t)
{
	printf("frames           %.1f per second, one of them for each key (%.0f bytes each)\n",
	       (double)t->frames / k->seconds, (double)t->bytes / (double)max_u64(t->frames, 1));
	qsort(k->took, k->n, sizeof(k->took[0]), by_value);
	printf("key answered     median %.1f ms, 99%% %.1f ms, worst %.1f ms, of %zu%s\n",
	       at(k->took, k->n, 0.5), at(k->took, k->n, 0.99), at(k->took, k->n, 1), k->n,
	       k->missed ? ", SOME NEVER" : "");
	printf("CPU              %.0f %% of a core\n", k->cpu / k->seconds * 100);
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/bench-screen.XXXXXX", fifo[64];
	struct winsize ws = { .ws_col = 80, .ws_row = 24 };
	struct feed f = { .rate = 5000, .seconds = 20 };
	struct term t = { .fd = -1 };
	static struct pressed keys;
	unsigned cols, rows;
	pthread_t thread;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: bench-screen WHY502 [RATE [SECONDS [COLSxROWS [KEYS]]]]\n");
		return 2;
	}
	f.rate = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : f.rate;
	f.seconds = argc > 3 ? strtod(argv[3], NULL) : f.seconds;
	if (argc > 4 && sscanf(argv[4], "%ux%u", &cols, &rows) == 2) {
		ws.ws_col = (unsigned short)cols;
		ws.ws_row = (unsigned short)rows;
	}
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		die(dir);
	snprintf(fifo, sizeof(fifo), "%s/trace", dir);
	if (mkfifo(fifo, 0600))
		die(fifo);
	f.path = fifo;
	pid = start(&t, argv[1], fifo, &ws);
	if (pthread_create(&thread, NULL, feeder, &f))
		die("no thread");
	watch(&t, now_ns() + NS, false);
	put(t.fd, argc > 5 ? argv[5] : "", argc > 5 ? strlen(argv[5]) : 0);
	watch(&t, now_ns() + NS, false); /* it has settled */
	press_keys(&keys, &t, pid, f.seconds - 2);
	printf("%u bad exchanges/s for %.0f s on %ux%u\n", f.rate, keys.seconds, ws.ws_col,
	       ws.ws_row);
	print_pressed(&keys, &t);
	printf("memory           %.0f MiB at most\n", peak_mib(pid));
	f.stop = true;
	put(t.fd, "Q", 1);
	watch(&t, now_ns() + NS / 2, false);
	kill(pid, SIGTERM);
	pthread_join(thread, NULL);
	waitpid(pid, NULL, 0);
	printf("fed              %llu exchanges, the reader late by %.1f ms at most\n",
	       (unsigned long long)f.fed, (double)f.behind_ns / 1e6);
	unlink(fifo);
	rmdir(dir);
	return keys.missed ? 1 : 0;
}
