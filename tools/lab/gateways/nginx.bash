# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# nginx: worker processes, each an event loop with its own pool. Its log names every attempt.
# shellcheck disable=SC2154 # state and LAB_* come from lab

nginx_programs() { echo nginx; }

nginx_locations() {
	routes | awk -F '|' '
	{
		n = split($3, peer, " ")
		up = up "upstream " $1 " {\n\tzone " $1 " 64k;\n"
		for (i = 1; i <= n; i++) {
			gsub(/,/, " ", peer[i])
			up = up "\tserver " peer[i] ";\n"
		}
		up = up "\tkeepalive 64;\n}\n"
		loc = loc "location /" $1 "/ {\n\tproxy_pass http://" $1 ";\n" \
			"\tproxy_connect_timeout " $4 ";\n\tproxy_read_timeout " $5 ";\n" \
			"\tproxy_send_timeout " $6 ";\n}\n"
	}
	END { printf "%s", up > ups; printf "%s", loc > locs }' \
		ups="$state/gateway/upstreams.conf" locs="$state/gateway/locations.conf"
}

nginx_conf() {
	local access=off
	[ "$LAB_LOG" = 0 ] || access="$state/log/access.log lab"
	nginx_locations
	cat >"$state/gateway/nginx.conf" <<-END
	user $(id -un nobody) $(id -gn nobody);
	worker_processes $LAB_WORKERS;
	pid $state/gateway/pid;
	error_log $state/log/error.log warn;
	events { worker_connections 8192; }
	http {
	log_format lab '\$msec\t\$request_method\t\$uri\t\$status\t\$upstream_addr\t\$upstream_status\t'
		'\$request_time\t\$body_bytes_sent\t\$connection\t\$pid\t\$remote_port';
	access_log $access;
	client_body_temp_path $state/gateway/body;
	proxy_temp_path $state/gateway/proxy;
	fastcgi_temp_path $state/gateway/fastcgi;
	uwsgi_temp_path $state/gateway/uwsgi;
	scgi_temp_path $state/gateway/scgi;
	client_max_body_size 0;
	keepalive_requests 5000;
	proxy_http_version 1.1;
	proxy_set_header Connection "";
	include $state/gateway/upstreams.conf;
	server {
		listen 8080 reuseport;
		listen [::]:8080 reuseport;
		include $state/gateway/locations.conf;
	}
	}
	END
}

nginx_start() { in_gateway nginx -p "$state/gateway" -c "$state/gateway/nginx.conf"; }

nginx_access() { cat "$state/log/access.log"; }
