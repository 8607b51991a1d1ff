/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/config.h"
#include "base/util.h"

static char text[4096]; /* struct options borrows from it */
static char why[CONFIG_WHY_MAX];
static struct options o;
static struct config c;

static int parse(const char *in)
{
	memset(&c, 0, sizeof(c));
	options_default(&o);
	why[0] = '\0';
	snprintf(text, sizeof(text), "%s", in);
	return config_parse(&c, &o, "f.conf", text, strlen(text), why);
}

static void test_options_and_keys(void **state)
{
	enum action a;

	assert_int_equal(parse("# comment\n"
			       "\n"
			       "theme = light\r\n"
			       "  filter = status==502 && path~\"a b\"   \n"
			       "comm=\"my gateway\"\n"
			       "ascii\n"
			       "no-tls-probes = yes\n"
			       "status = 5xx\n"
			       "access-log = /var/log/a.log\n"
			       "log-format = nginx\n"
			       "access-log = /var/log/b.log\n"
			       "bind C-s save\n"
			       "bind  x\tnone\n"
			       "bind F9 quit"),
			 0);
	assert_int_equal(o.theme, THEME_CHOICE_LIGHT);
	assert_string_equal(o.filter, "status==502 && path~\"a b\"");
	assert_string_equal(o.comm, "my gateway");
	assert_true(o.ascii && o.no_tls_probes);
	assert_int_equal(o.bad_status[0], 1);
	assert_int_equal(o.access_logs.n, 2);
	assert_string_equal(o.access_logs.log[0].format, "nginx");
	assert_null(o.access_logs.log[1].format);
	assert_int_equal(c.keys.n, 3);
	assert_true(keymap_find(&c.keys, 19, &a) && a == ACTION_SAVE);
	assert_true(keymap_find(&c.keys, 'x', &a) && a == ACTION_NONE);
	assert_true(keymap_find(&c.keys, KEY_W5_F0 + 9, &a) && a == ACTION_QUIT);
}

static const struct {
	const char *text, *why;
} wrong[] = {
	{ "thme = dark",
	  "f.conf:1: there is no option 'thme': why502 --dump-config lists them all" },
	{ "\n\ntheme = blue",
	  "f.conf:3: the value 'blue' of theme is not allowed: give mono, dark or light" },
	{ "theme", "f.conf:1: the value '' of theme is not allowed: give mono, dark or light" },
	{ "ascii = maybe", "f.conf:1: the value 'maybe' of ascii is not allowed: give yes or no" },
	{ "port = 99999",
	  "f.conf:1: the value '99999' of port is not allowed: give a port number from 1 to 65535" },
	{ "read = x",
	  "f.conf:1: the option 'read' can be given on the command line only: remove this line" },
	{ "help",
	  "f.conf:1: the option 'help' can be given on the command line only: remove this line" },
	{ "bind C-s", "f.conf:1: bind needs a key and an action: write as in bind C-s save" },
	{ "bind \n", "f.conf:1: there is no option 'bind': why502 --dump-config lists them all" },
	{ "bind Ctrl-s save",
	  "f.conf:1: there is no key 'Ctrl-s': write a character, or as Enter, F5, C-x, PgUp" },
	{ "bind s sav", "f.conf:1: there is no action 'sav': why502 --dump-config lists them all" },
	{ "bind s save save",
	  "f.conf:1: there is no action 'save save': why502 --dump-config lists them all" },
	{ "= x", "f.conf:1: there is no option '': why502 --dump-config lists them all" },
	{ "a\x1b[31mb = x",
	  "f.conf:1: there is no option 'a\\x1b[31mb': why502 --dump-config lists them all" },
};

static void test_errors_say_where_what_and_what_to_do(void **state)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(parse(wrong[i].text), -EINVAL);
		assert_string_equal(why, wrong[i].why);
	}
}

static void test_bytes_that_are_no_text(void **state)
{
	char bytes[] = "ascii\n\nth\0me";

	memset(&c, 0, sizeof(c));
	options_default(&o);
	assert_int_equal(config_parse(&c, &o, "f", bytes, sizeof(bytes) - 1, why), -EINVAL);
	assert_string_equal(why, "f:3: there is a NUL byte: this is no text file");
}

static void test_keys_are_bounded(void **state)
{
	size_t n = 0;

	for (int ch = '!'; ch < '!' + KEYMAP_MAX + 1; ch++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "bind %c save\n", ch);
	memset(&c, 0, sizeof(c));
	assert_int_equal(config_parse(&c, &o, "f", text, n, why), -EINVAL);
	assert_non_null(strstr(why, "too many keys"));
}

/* What --dump-config prints: every line of it is right, once it is no comment any more. */
static void test_the_dump_is_a_configuration(void **state)
{
	char *dump = NULL, *line, *save;
	size_t size, options = 0, binds = 0;
	FILE *out = open_memstream(&dump, &size);

	config_dump(out);
	fclose(out);
	assert_int_equal(parse(dump), 0);
	assert_int_equal(c.keys.n, 0);
	for (line = strtok_r(dump, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		bool is_bind = !strncmp(line, "#bind ", 6);

		if (line[0] != '#' || line[1] == ' ' || !line[1])
			continue;
		if (!is_bind && strpbrk(line, "=") && !strpbrk(line, "0123456789"))
			continue; /* its value is a placeholder: THIS, or this|that */
		if (parse(line + 1))
			fail_msg("%s: %s", line, why);
		binds += is_bind;
		options += !is_bind;
	}
	assert_true(options > 5);
	assert_true(binds > ACTION_MAX - 2);
	free(dump);
}

/* ---- files ---- */

static char dir[] = "/tmp/why502-config-XXXXXX";

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
	return rmdir(dir);
}

static int read_with(const char *content, mode_t mode, char *said, size_t cap)
{
	static char path[64];
	FILE *real = stderr, *f;
	int err;

	snprintf(path, sizeof(path), "%s/c", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(content, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
	memset(&c, 0, sizeof(c));
	memset(said, 0, cap);
	options_default(&o);
	o.config_path = path;
	stderr = fmemopen(said, cap - 1, "w");
	err = config_read(&c, &o);
	fclose(stderr);
	stderr = real;
	unlink(path);
	return err;
}

static void test_a_file_everybody_may_write_is_refused_as_root(void **state)
{
	char said[512];

	assert_int_equal(read_with("theme = light\n", 0644, said, sizeof(said)), 0);
	assert_int_equal(o.theme, THEME_CHOICE_LIGHT);
	config_fini(&c);
	if (geteuid())
		skip();
	assert_int_equal(read_with("theme = light\n", 0666, said, sizeof(said)), -EINVAL);
	assert_non_null(strstr(said, "is not read: everybody may write it: chmod o-w it, or use "
				     "--no-config\n"));
	assert_int_equal(o.theme, THEME_CHOICE_AUTO);
	config_fini(&c);
}

static void test_a_file_that_is_named_must_be_there(void **state)
{
	char said[512] = "";
	FILE *real = stderr;

	memset(&c, 0, sizeof(c));
	options_default(&o);
	o.config_path = "/nowhere/why502.conf";
	stderr = fmemopen(said, sizeof(said) - 1, "w");
	assert_int_equal(config_read(&c, &o), -EINVAL);
	o.config_path = "/tmp";
	assert_int_equal(config_read(&c, &o), -EINVAL);
	fclose(stderr);
	stderr = real;
	assert_string_equal(said,
			    "why502: /nowhere/why502.conf is not read: No such file or directory\n"
			    "why502: /tmp is not read: it is no ordinary file\n");
	o.no_config = true;
	assert_int_equal(config_read(&c, &o), 0);
}

/* The command line wins, whatever the order; the file is found in it first. */
static int from_file(void *self, struct options *into)
{
	static char lines[] = "theme = light\nport = 80\nascii\n";

	assert_string_equal(into->config_path, "x");
	return config_parse(self, into, "f", lines, strlen(lines), why);
}

static void test_the_command_line_wins(void **state)
{
	char *argv[] = { "why502", "--theme", "mono", "--config", "x", NULL };

	memset(&c, 0, sizeof(c));
	assert_int_equal(options_parse_over(&o, 5, argv, from_file, &c), 0);
	assert_int_equal(o.theme, THEME_CHOICE_MONO);
	assert_int_equal(o.port, 80);
	assert_true(o.ascii);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_and_keys),
		cmocka_unit_test(test_errors_say_where_what_and_what_to_do),
		cmocka_unit_test(test_bytes_that_are_no_text),
		cmocka_unit_test(test_keys_are_bounded),
		cmocka_unit_test(test_the_dump_is_a_configuration),
		cmocka_unit_test(test_a_file_everybody_may_write_is_refused_as_root),
		cmocka_unit_test(test_a_file_that_is_named_must_be_there),
		cmocka_unit_test(test_the_command_line_wins),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
