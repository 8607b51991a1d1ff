/* SPDX-License-Identifier: BSD-2-Clause */
/* Gateways asked for their logs and peers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log_place.h"
#include "source/logconf.h"
#include "source/logs.h"

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
		cmocka_unit_test(test_nginx_configuration_is_found),
		cmocka_unit_test(test_nginx_peers_are_found),
		cmocka_unit_test(test_apache_configuration_is_found),
		cmocka_unit_test(test_owner_without_readable_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
