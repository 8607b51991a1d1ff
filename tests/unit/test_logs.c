/* SPDX-License-Identifier: BSD-2-Clause */
/* Real files as they are rotated, cut and made anew; whose they are; records out of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/logfile.h"
#include "source/logconf.h"
#include "source/logs.h"

#define S (1000ull * 1000 * 1000)

struct place {
	char dir[128], log[160], other[160];
	struct logfile *f;
	uint64_t now;
	char got[4096]; /* lines, with '|' behind each */
	size_t longest;
};

static struct place *place_new(void)
{
	const char *tmp = getenv("TMPDIR");
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->dir, sizeof(p->dir), "%s/why502-logs.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->log, sizeof(p->log), "%s/access.log", p->dir);
	snprintf(p->other, sizeof(p->other), "%s/access.log.1", p->dir);
	p->now = 100 * S;
	return p;
}

static void place_free(struct place *p)
{
	logfile_close(p->f);
	unlink(p->log);
	unlink(p->other);
	rmdir(p->dir);
	free(p);
}

static void append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void on_line(void *self, const char *line, size_t len)
{
	struct place *p = self;
	size_t have = strlen(p->got);

	p->longest = len > p->longest ? len : p->longest;
	snprintf(p->got + have, sizeof(p->got) - have, "%.*s|", len < 80 ? (int)len : 80, line);
}

/* Time goes on by enough for the name to be looked up. */
static int poll_file(struct place *p)
{
	p->now += S;
	return logfile_poll(p->f, p->now, on_line, p);
}

static void expect(struct place *p, const char *lines)
{
	assert_int_equal(poll_file(p), 0);
	assert_string_equal(p->got, lines);
	p->got[0] = '\0';
}

static struct place *follow(const char *before)
{
	struct place *p = place_new();

	append(p->log, before);
	assert_int_equal(logfile_open(&p->f, p->log), 0);
	return p;
}

static void test_new_lines_only_and_whole_ones(void **s)
{
	struct place *p = follow("old\n");

	expect(p, "");
	append(p->log, "a\nb\r\nhal");
	expect(p, "a|b|");
	append(p->log, "f\n\n");
	expect(p, "half||");
	place_free(p);
}

static void test_begins_inside_a_line(void **s)
{
	struct place *p = follow("the begin of ");

	append(p->log, "a line\nwhole\n");
	expect(p, "whole|");
	place_free(p);
}

static void test_rotation_finishes_the_old_file_first(void **s)
{
	struct place *p = follow("");

	append(p->log, "1\n");
	assert_int_equal(rename(p->log, p->other), 0);
	append(p->other, "2\n");
	append(p->log, "4\n");
	append(p->other, "3\n");
	expect(p, "1|2|3|4|");
	/* A worker that has not reopened its log yet. */
	append(p->log, "6\n");
	append(p->other, "5\n");
	expect(p, "5|6|");
	for (int i = 0; i < 6; i++)
		expect(p, "");
	append(p->other, "not read any more\n");
	append(p->log, "7\n");
	expect(p, "7|");
	place_free(p);
}

static void test_rotation_before_the_new_file_is_there(void **s)
{
	struct place *p = follow("");

	append(p->log, "1\n");
	assert_int_equal(rename(p->log, p->other), 0);
	assert_int_equal(poll_file(p), -ENOENT);
	append(p->other, "2\n");
	assert_int_equal(poll_file(p), -ENOENT);
	append(p->log, "3\n");
	expect(p, "1|2|3|");
	place_free(p);
}

static void test_truncation(void **s)
{
	struct place *p = follow("some old lines\n");

	append(p->log, "1\npart");
	expect(p, "1|");
	assert_int_equal(truncate(p->log, 0), 0);
	append(p->log, "2\n");
	expect(p, "2|");
	place_free(p);
}

static void test_deleted_and_made_anew(void **s)
{
	struct place *p = follow("");

	append(p->log, "1\n");
	assert_int_equal(unlink(p->log), 0);
	assert_int_equal(poll_file(p), -ENOENT);
	append(p->log, "2\n");
	expect(p, "1|2|");
	place_free(p);
}

static void test_a_file_that_comes_later_is_read_from_its_begin(void **s)
{
	struct place *p = place_new();

	assert_int_equal(logfile_open(&p->f, p->log), 0);
	assert_int_equal(poll_file(p), -ENOENT);
	append(p->log, "1\n");
	expect(p, "1|");
	place_free(p);
}

static void test_long_lines_are_skipped_and_counted(void **s)
{
	struct place *p = follow("");
	size_t n = LOGFILE_LINE_MAX * 3;
	char *text = malloc(n + 1);

	memset(text, 'x', n);
	text[n] = '\0';
	append(p->log, "a\n");
	append(p->log, text);
	append(p->log, "\nb\n");
	expect(p, "a|b|");
	assert_int_equal(logfile_skipped(p->f), 1);
	text[LOGFILE_LINE_MAX - 1] = '\n'; /* the longest that is read */
	text[LOGFILE_LINE_MAX] = '\0';
	append(p->log, text);
	poll_file(p);
	assert_int_equal(p->longest, LOGFILE_LINE_MAX - 1);
	assert_int_equal(logfile_skipped(p->f), 1);
	free(text);
	place_free(p);
}

static void test_no_regular_file_is_refused(void **s)
{
	struct place *p = place_new();

	assert_int_equal(mkfifo(p->log, 0600), 0);
	assert_int_equal(logfile_open(&p->f, p->log), -EINVAL);
	assert_int_equal(logfile_open(&p->f, p->dir), -EINVAL);
	assert_int_equal(logfile_open(&p->f, "/dev/null"), -EINVAL);
	place_free(p);
}

/* ---- records ---- */

struct seen {
	struct place *p;
	struct logs *l;
	struct w5_log rec[16];
	size_t n, begins; /* begins: the first record, if it tells nothing but that */
	char said[2048];
};

static void on_record(void *self, const struct w5_hdr *h)
{
	struct seen *s = self;

	assert_int_equal(h->type, W5_REC_LOG);
	assert_int_equal(h->size, sizeof(struct w5_log));
	if (!((const struct w5_log *)h)->kind && !((const struct w5_log *)h)->skipped) {
		assert_int_equal(s->n + s->begins, 0);
		s->begins++;
		return;
	}
	assert_true(s->n < 16);
	memcpy(&s->rec[s->n++], h, sizeof(struct w5_log));
}

static void on_say(void *self, bool is_warning, const char *text)
{
	struct seen *s = self;
	size_t have = strlen(s->said);

	snprintf(s->said + have, sizeof(s->said) - have, "%s%s\n", is_warning ? "!" : "", text);
}

static void seen_open(struct seen *s, const char *format)
{
	static const struct logs_ops ops = { .record = on_record, .say = on_say };
	char err[LOGS_ERR_MAX] = "";

	memset(s, 0, sizeof(*s));
	s->p = place_new();
	append(s->p->log, "");
	assert_int_equal(logs_new(&s->l, &ops, s), 0);
	if (logs_add(s->l, s->p->log, format, err))
		fail_msg("%s", err);
}

static void seen_close(struct seen *s)
{
	logs_free(s->l);
	place_free(s->p);
}

static void seen_poll(struct seen *s)
{
	struct log_clock c = { .now_ns = s->p->now += 3 * S, .wall_offset_ns = 1795349000 * S };

	logs_poll(s->l, &c);
}

#define COMBINED(status) \
	"1.2.3.4 - - [22/Nov/2026:12:06:21 +0000] \"GET /a HTTP/1.1\" " status " 1 \"-\" \"x\"\n"

static void test_healthy_lines_are_told_by_number(void **s)
{
	struct seen w;

	seen_open(&w, "nginx");
	append(w.p->log, COMBINED("200") COMBINED("204") COMBINED("404") COMBINED("502"));
	append(w.p->log, COMBINED("301") "garbage\n");
	seen_poll(&w);
	assert_int_equal(w.n, 2);
	assert_int_equal(w.rec[0].status, 502);
	assert_int_equal(w.rec[0].healthy[2], 2);
	assert_int_equal(w.rec[0].healthy[4], 1);
	assert_true(w.rec[0].end_ns);
	assert_int_equal(w.rec[1].end_ns, 0);
	assert_int_equal(w.rec[1].healthy[3], 1);
	assert_int_equal(w.rec[1].skipped, 1);
	assert_int_equal(w.rec[1].kind, W5_LOG_NGINX);
	seen_poll(&w);
	assert_int_equal(w.n, 2);
	seen_close(&w);
}

static void test_the_first_record_says_that_it_begins(void **s)
{
	struct seen w;

	seen_open(&w, "nginx");
	seen_poll(&w);
	seen_poll(&w);
	assert_int_equal(w.begins, 1);
	assert_int_equal(w.n, 0);
	seen_close(&w);
}

static void test_strange_lines_are_said_once(void **s)
{
	struct seen w;
	const char *first;

	seen_open(&w, "caddy");
	append(w.p->log, COMBINED("200") COMBINED("200") COMBINED("200") COMBINED("200"));
	seen_poll(&w);
	append(w.p->log, COMBINED("200") COMBINED("200") COMBINED("200") COMBINED("200"));
	seen_poll(&w);
	first = strstr(w.said, "do not fit the format (caddy)");
	assert_non_null(first);
	assert_null(strstr(first + 1, "do not fit"));
	assert_int_equal(w.rec[0].skipped + w.rec[1].skipped, 8);
	seen_close(&w);
}

static void test_guessed_format_is_said(void **s)
{
	struct seen w;

	seen_open(&w, "auto");
	append(w.p->log, COMBINED("502"));
	seen_poll(&w);
	assert_non_null(strstr(w.said, "looks like the apache format"));
	assert_int_equal(w.n, 1);
	assert_int_equal(w.rec[0].kind, W5_LOG_APACHE);
	seen_close(&w);
}

static void refused(const char *path, const char *format, const char *why)
{
	static const struct logs_ops ops = { .record = on_record, .say = on_say };
	char err[LOGS_ERR_MAX] = "";
	struct logs *l;

	assert_int_equal(logs_new(&l, &ops, NULL), 0);
	assert_int_not_equal(logs_add(l, path, format, err), 0);
	assert_non_null(strstr(err, why));
	logs_free(l);
}

static void test_refusals_say_why(void **s)
{
	struct place *p = place_new();

	assert_int_equal(mkfifo(p->log, 0600), 0);
	refused(p->log, NULL, "no regular file");
	refused("/dev/null", "ngnix", "is no word of nginx");
	refused("/dev/null", "$status", "no time");
	place_free(p);
}

/* ---- a gateway of our own: a shell that holds the log, its configuration on its command line ---- */

struct fake {
	pid_t pid;
	int in;
};

static struct fake fake_start(const struct place *p, char flag, const char *conf)
{
	char script[400], option[3] = { '-', flag, '\0' };
	int in[2], out[2];
	struct fake f;
	char ready;

	snprintf(script, sizeof(script), "exec 3>>'%s'; echo; read x", p->log);
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	f.pid = fork();
	if (!f.pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execl("/bin/sh", "sh", "-c", script, "sh", option, conf, NULL);
		_exit(1);
	}
	close(in[0]);
	close(out[1]);
	f.in = in[1];
	assert_int_equal(read(out[0], &ready, 1), 1);
	close(out[0]);
	return f;
}

static void fake_stop(struct fake *f)
{
	close(f->in);
	waitpid(f->pid, NULL, 0);
}

static void announce(struct seen *w, const struct fake *f, const char *comm)
{
	struct w5_gateway g = { .h = { .type = W5_REC_GATEWAY, .size = sizeof(g) },
				.tgid = (uint32_t)f->pid,
				.group = (uint32_t)f->pid };

	snprintf(g.comm, sizeof(g.comm), "%s", comm);
	logs_gateway(w->l, &g);
}

static void test_nginx_configuration_is_found(void **s)
{
	char conf[200], more[200], text[700];
	struct fake f;
	struct seen w;

	seen_open(&w, NULL);
	snprintf(conf, sizeof(conf), "%s/nginx.conf", w.p->dir);
	snprintf(more, sizeof(more), "%s/more.conf", w.p->dir);
	append(conf, "# access_log is elsewhere; log_format lab 'x';\nuser nobody;\nhttp {\n"
		     "\tcontent_by_lua_block { access_log '; }\n"
		     "\tlog_format other '$status';\n\tinclude more.con?;\n}\n");
	snprintf(
		text, sizeof(text),
		"log_format lab escape=default '$msec\\t'\n  \"$status\\t\" $upstream_addr;\n"
		"server { access_log off; access_log /nowhere other; access_log %s buffer=4k lab; }",
		w.p->log);
	append(more, text);
	f = fake_start(w.p, 'c', conf);
	announce(&w, &f, "nginx");
	seen_poll(&w);
	append(w.p->log, "1795349181.341\t502\t10.0.3.17:8080\n");
	seen_poll(&w);
	assert_non_null(strstr(w.said, "format \"lab\" of "));
	assert_int_equal(w.n, 1);
	assert_int_equal(w.rec[0].status, 502);
	assert_int_equal(w.rec[0].group, (uint32_t)f.pid);
	assert_int_equal(w.rec[0].ntries, 1);
	fake_stop(&f);
	unlink(conf);
	unlink(more);
	seen_close(&w);
}

static void expect_peer(const struct logconf_peers *p, const char *name, uint16_t port,
			bool is_group)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->v[i].name, name) && p->v[i].port == port &&
		    p->v[i].is_group == is_group)
			return;
	fail_msg("no peer %s:%u", name, port);
}

static void test_nginx_peers_are_found(void **s)
{
	struct logconf_peers peers;
	char conf[200];
	struct fake f;
	struct seen w;

	seen_open(&w, NULL);
	snprintf(conf, sizeof(conf), "%s/nginx.conf", w.p->dir);
	append(conf,
	       "http {\n# server gone.lab;\nupstream pool {\n\tserver one.lab:8080 weight=2;\n"
	       "\tserver 10.0.3.7:8080; server [fd00::1]:81; server unix:/run/x;\n}\n"
	       "server {\n\tlisten 80; server_name www.lab;\n\tlocation / { proxy_pass http://pool/a; }\n"
	       "\tlocation /b { proxy_pass https://two.lab/x:9/; }\n"
	       "\tlocation /c { fastcgi_pass three.lab:9000; }\n}\n}\n");
	f = fake_start(w.p, 'c', conf);
	assert_int_equal(logconf_nginx_peers(&peers, (uint32_t)f.pid), 0);
	assert_int_equal(peers.n, 7);
	expect_peer(&peers, "pool", 0, true);
	expect_peer(&peers, "pool", 80, false);
	expect_peer(&peers, "one.lab", 8080, false);
	expect_peer(&peers, "10.0.3.7", 8080, false);
	expect_peer(&peers, "fd00::1", 81, false);
	expect_peer(&peers, "two.lab", 443, false);
	expect_peer(&peers, "three.lab", 9000, false);
	assert_false(peers.is_dynamic || peers.is_cut);
	append(conf, "server { location / { set $x four.lab; proxy_pass http://$x; } }\n");
	assert_int_equal(logconf_nginx_peers(&peers, (uint32_t)f.pid), 0);
	assert_int_equal(peers.n, 7);
	assert_true(peers.is_dynamic);
	fake_stop(&f);
	unlink(conf);
	seen_close(&w);
}

static void test_apache_configuration_is_found(void **s)
{
	char conf[200], text[700];
	struct fake f;
	struct seen w;

	seen_open(&w, NULL);
	snprintf(conf, sizeof(conf), "%s/apache.conf", w.p->dir);
	snprintf(
		text, sizeof(text),
		"# LogFormat \"%%h\" lab\n<VirtualHost *>\n  LogFormat \"%%t \\\"%%r\\\" \\\n %%>s %%D\" lab\n"
		"CustomLog ${W5_LOG_DIR}/access.log lab env=!quiet\n</VirtualHost>\n");
	append(conf, text);
	setenv("W5_LOG_DIR", w.p->dir, 1);
	f = fake_start(w.p, 'f', conf);
	announce(&w, &f, "apache2");
	append(w.p->log, "[22/Nov/2026:12:06:20 +0000] \"GET /a HTTP/1.1\"    502 250000\n");
	seen_poll(&w);
	assert_non_null(strstr(w.said, "format \"lab\" of "));
	assert_int_equal(w.n, 1);
	assert_int_equal(w.rec[0].status, 502);
	assert_int_equal(w.rec[0].duration_us, 250000);
	fake_stop(&f);
	unlink(conf);
	seen_close(&w);
}

static void test_owner_without_readable_configuration(void **s)
{
	struct fake f;
	struct seen w;

	seen_open(&w, NULL);
	f = fake_start(w.p, 'x', "-");
	announce(&w, &f, "caddy");
	seen_poll(&w);
	assert_non_null(strstr(w.said, "default format of caddy"));
	fake_stop(&f);
	seen_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_lines_only_and_whole_ones),
		cmocka_unit_test(test_begins_inside_a_line),
		cmocka_unit_test(test_rotation_finishes_the_old_file_first),
		cmocka_unit_test(test_rotation_before_the_new_file_is_there),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_deleted_and_made_anew),
		cmocka_unit_test(test_a_file_that_comes_later_is_read_from_its_begin),
		cmocka_unit_test(test_long_lines_are_skipped_and_counted),
		cmocka_unit_test(test_no_regular_file_is_refused),
		cmocka_unit_test(test_healthy_lines_are_told_by_number),
		cmocka_unit_test(test_the_first_record_says_that_it_begins),
		cmocka_unit_test(test_strange_lines_are_said_once),
		cmocka_unit_test(test_guessed_format_is_said),
		cmocka_unit_test(test_refusals_say_why),
		cmocka_unit_test(test_nginx_configuration_is_found),
		cmocka_unit_test(test_nginx_peers_are_found),
		cmocka_unit_test(test_apache_configuration_is_found),
		cmocka_unit_test(test_owner_without_readable_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
