/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live view on made-up data: driver SCENE COLSxROWS [KEYS [ascii]] writes the
 * screen as text; driver SCENE tty shows it on the terminal until q, SIGTERM or
 * SIGABRT. Everything is fixed, clock included, so that screens can be compared.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "scene/scene.h"

static int save(void *self, const struct tui_save *w, char *msg, size_t msglen)
{
	static const char *const formats[] = { "pcapng", "pcap", "ndjson", "text" };

	if (!strncmp(w->path, "/nowhere/", 9)) {
		snprintf(msg, msglen, "no such directory: /nowhere");
		return -ENOENT;
	}
	snprintf(msg, msglen, "Saved %zu exchange%s (first: %llu) as %s%s to %s", w->n,
		 w->n == 1 ? "" : "s", (unsigned long long)w->f[0]->id, formats[w->format],
		 w->backend_only ? ", backend only," : "", w->path);
	return 0;
}

static int report(void *self, const char *path, char *msg, size_t msglen)
{
	(void)self;
	if (!strncmp(path, "/nowhere/", 9)) {
		snprintf(msg, msglen, "no such directory: /nowhere");
		return -ENOENT;
	}
	snprintf(msg, msglen, "Report written to %s.md and .html", path);
	return 0;
}

static void run_on_terminal(struct tui *t, const struct model_input *in, struct engine_counters *c)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .events = POLLIN } };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fds[1].fd = signalfd(-1, &set, SFD_CLOEXEC);
	for (;;) {
		tui_tick(t, in);
		tui_draw(t);
		if (poll(fds, 2, 100) > 0) {
			if (fds[1].revents || (fds[0].revents && tui_key(t) & TUI_QUIT))
				return;
		}
		c->now_ns += SECOND / 10;
	}
}

int main(int argc, char **argv)
{
	struct tui_cfg cfg = { .save = save, .report = report, .formats = 0xf, .dump = stdout };
	struct engine_counters counters = { .start_ns = START_NS, .wall_offset_ns = WALL_OFFSET };
	struct model_input in = { .counters = &counters };
	const struct scene *scene = argc > 2 ? scene_find(argv[1]) : NULL;
	struct tui *t;
	int err;

	if (!scene) {
		fprintf(stderr, "usage: driver SCENE COLSxROWS|tty [KEYS [ascii]]\n");
		return 2;
	}
	if (sscanf(argv[2], "%dx%d", &cfg.cols, &cfg.rows) != 2)
		cfg.dump = NULL;
	cfg.keys = argc > 3 ? argv[3] : "";
	cfg.ascii = argc > 4 && !strcmp(argv[4], "ascii");
	cfg.is_replay = scene->is_replay;
	err = tui_new(&t, &cfg);
	if (err) {
		fprintf(stderr, "driver: %s\n", strerror(-err));
		return 1;
	}
	snprintf(counters.host, sizeof(counters.host), "gw-03");
	scene->make(t, &in, &counters);
	tui_tick(t, &in);
	if (cfg.dump)
		err = tui_play(t);
	else
		run_on_terminal(t, &in, &counters);
	tui_free(t);
	return err ? 1 : 0;
}
