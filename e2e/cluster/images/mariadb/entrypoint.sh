#!/bin/sh
# Runs MariaDB on /var/lib/mysql, and makes an empty database there first if there is none.
# root comes in over the socket without a password. MARIADB_USER and MARIADB_PASSWORD, if set, name
# a user for TCP; MARIADB_DATABASE is a database that is made for it.
set -eu
data=/var/lib/mysql
fresh=$data/.fresh

# Made beside and then moved, so that a start that is cut short is begun again by the next one.
if [ ! -d "$data/mysql" ]; then
  rm -rf "$fresh"
  mkdir "$fresh"
  chown mysql:mysql "$data" "$fresh"
  mariadb-install-db --user=mysql --datadir="$fresh" --skip-test-db \
    --auth-root-authentication-method=socket >/dev/null
  find "$fresh" -mindepth 1 -maxdepth 1 ! -name mysql -exec mv -t "$data" {} +
  mv "$fresh/mysql" "$data/mysql"
  rmdir "$fresh"
fi

install -d -o mysql -g mysql /run/mysqld
init=/run/mysqld/init.sql
: >"$init"
if [ -n "${MARIADB_DATABASE:-}" ]; then
  echo "CREATE DATABASE IF NOT EXISTS \`$MARIADB_DATABASE\`;" >>"$init"
fi
if [ -n "${MARIADB_USER:-}" ]; then
  echo "CREATE USER IF NOT EXISTS '$MARIADB_USER'@'%' IDENTIFIED BY '${MARIADB_PASSWORD:-}';" >>"$init"
  # As in the usual MariaDB image: no right over the server, so that read_only holds for this user.
  [ -z "${MARIADB_DATABASE:-}" ] ||
    echo "GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$MARIADB_USER'@'%';" >>"$init"
fi
chown mysql:mysql "$init"

exec mariadbd --user=mysql --datadir="$data" --init-file="$init" "$@"
