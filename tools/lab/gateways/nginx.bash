# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# nginx: worker processes, each an event loop with its own pool. Its log names every attempt.
# shellcheck disable=SC2154 # state and LAB_* come from lab

nginx_programs() { echo nginx; }

nginx_locations() {
	routes | awk -F '|' '
	BEGIN {
		url["http"] = "http://"; url["https"] = "https://"
		url["h2c"] = "grpc://"; url["h2"] = "grpcs://"
	}
	$10 != "" { # resolved for each request, not at the start
		loc = loc "location /" $1 "/ {\n\tset $peer " $3 ";\n\tproxy_pass http://$peer;\n" \
			"\tresolver " $10 " valid=1s;\n\tresolver_timeout 1s;\n" \
			"\tproxy_connect_timeout " $4 ";\n\tproxy_read_timeout " $5 ";\n}\n"
		next
	}
	{
		to = $9 ~ /^h2/ ? "grpc" : "proxy" # the only HTTP/2 it speaks to a backend
		n = split($3, peer, " ")
		up = up "upstream " $1 " {\n\tzone " $1 " 64k;\n"
		for (i = 1; i <= n; i++) {
			gsub(/,/, " ", peer[i])
			up = up "\tserver " peer[i] ($11 != "" ? " max_conns=" $11 : "") ";\n"
		}
		up = up "\tkeepalive 64;\n" ($13 != "" ? "\tkeepalive_timeout " $13 ";\n" : "") "}\n"
		loc = loc "location /" $1 "/ {\n\t" to "_pass " url[$9] $1 ";\n" \
			"\t" to "_connect_timeout " $4 ";\n\t" to "_read_timeout " $5 ";\n" \
			"\t" to "_send_timeout " $6 ";\n" ($9 == "https" || $9 == "h2" ? \
			"\t" to "_ssl_server_name on;\n\t" to "_ssl_name backend.lab;\n" : "") "}\n"
	}
	END { printf "%s", up > ups; printf "%s", loc > locs }' \
		ups="$state/gateway/upstreams.conf" locs="$state/gateway/locations.conf"
}

nginx_conf() {
	local access=off syslog=''
	[ "$LAB_LOG" = 0 ] || access="$state/log/access.log lab"
	[ "$LAB_SYSLOG" = 0 ] || syslog="access_log syslog:server=unix:$state/unix/nobody.sock;"
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
	$syslog
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
		listen 8081 http2 reuseport;
		listen 8443 ssl http2 reuseport;
		ssl_protocols TLSv1.2 TLSv1.3;
		ssl_certificate $state/tls/cert.pem;
		ssl_certificate_key $state/tls/key.pem;
		include $state/gateway/locations.conf;
	}
	}
	END
}

nginx_start() { in_gateway nginx -p "$state/gateway" -c "$state/gateway/nginx.conf"; }

nginx_access() { cat "$state/log/access.log"; }
