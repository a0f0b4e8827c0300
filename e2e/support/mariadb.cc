#include "e2e/support/mariadb.h"

#include "e2e/support/text.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <stdexcept>
#include <utility>

namespace stillpoint::e2e {
namespace {

// The client runs the procedure until the server goes; then it waits for the next one.
constexpr char kWriter[] = R"(until mariadb -e 'SELECT 1' >/dev/null 2>&1; do sleep 0.1; done
mariadb <<'SQL'
CREATE DATABASE IF NOT EXISTS shop;
USE shop;
CREATE TABLE IF NOT EXISTS orders (n INT PRIMARY KEY, at TIMESTAMP(6)) ENGINE=InnoDB;
CREATE TABLE IF NOT EXISTS payments (n INT PRIMARY KEY, at TIMESTAMP(6)) ENGINE=InnoDB;
DELIMITER //
CREATE OR REPLACE PROCEDURE write_rows()
BEGIN
  DECLARE i INT DEFAULT (SELECT COALESCE(MAX(n), 0) FROM orders);
  LOOP
    SET i = i + 1;
    START TRANSACTION;
    INSERT INTO orders VALUES (i, NOW(6));
    INSERT INTO payments VALUES (i, NOW(6));
    COMMIT;
    DO SLEEP(0.02);
  END LOOP;
END //
SQL
mariadb shop -e 'CALL write_rows()'
)";

std::string Quoted(const std::string& text) {
  return boost::json::serialize(boost::json::string(text));  // JSON is YAML
}

constexpr char kTemplate[] = R"(    metadata:
      labels: {{app: {name}}}
      annotations:
{annotations}    spec:
      terminationGracePeriodSeconds: 10
      containers:
      - name: mariadb
        image: docker.io/local/mariadb:1
        imagePullPolicy: Never
        readinessProbe:
          exec: {{command: [mariadb, -e, SELECT 1]}}
          periodSeconds: 1
          timeoutSeconds: 5
        volumeMounts:
        - {{name: data, mountPath: /var/lib/mysql}}
        - {{name: socket, mountPath: /run/mysqld}}
      - name: writer
        image: docker.io/local/mariadb:1
        imagePullPolicy: Never
        command: [/bin/sh, -c]
        args:
        - |
{writer}        volumeMounts:
        - {{name: socket, mountPath: /run/mysqld}}
      volumes:
      - {{name: socket, emptyDir: {{}}}}
)";

constexpr char kClaim[] = R"(
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 256Mi}}
)";

}  // namespace

MariaDb::MariaDb(Kubectl kubectl, Options options)
    : kubectl_(std::move(kubectl)), options_(std::move(options)) {
  kubectl_.Apply(Manifest());
  kubectl_.RolledOut(ref());
  if (!Writes()) throw std::runtime_error("the writer of " + ref() + " does not write");
}

std::string MariaDb::ref() const {
  return (options_.kind == "StatefulSet" ? "statefulset/" : "deployment/") + options_.name;
}

std::string MariaDb::claim() const {
  return "data-" + options_.name + (options_.kind == "StatefulSet" ? "-0" : "");
}

std::string MariaDb::Manifest() const {
  std::string annotations;
  for (const auto& [key, value] : options_.annotations) {
    annotations += fmt::format("        {}: {}\n", key, Quoted(value));
  }
  const std::string pod =
      fmt::format(kTemplate, fmt::arg("name", options_.name),
                  fmt::arg("annotations", annotations.empty() ? "        {}\n" : annotations),
                  fmt::arg("writer", Indent(kWriter, 10)));
  const std::string head = fmt::format(R"(---
apiVersion: apps/v1
kind: {}
metadata: {{name: {}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {}}}}}
)",
                                       options_.kind, options_.name, options_.name);
  if (options_.kind == "StatefulSet") {
    return fmt::format(
        "{}  serviceName: {}\n  volumeClaimTemplates:\n  - metadata: {{name: data}}\n"
        "    spec:{}  template:\n{}",
        head, options_.name, kClaim, pod);
  }
  return fmt::format(
      "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {0}}}\n"
      "spec:{1}{2}  strategy: {{type: Recreate}}\n  template:\n{3}"
      "      - {{name: data, persistentVolumeClaim: {{claimName: {0}}}}}\n",
      claim(), kClaim, head, pod);
}

std::string MariaDb::Sql(const std::string& statement) const {
  const CommandResult result = kubectl_(
      {"exec", ref(), "-c", "mariadb", "--", "mariadb", "-N", "-B", "-D", "shop", "-e", statement});
  if (result.exit_code != 0) throw std::runtime_error(statement + ": " + result.err);
  return result.out;
}

int MariaDb::Rows() const {
  return std::stoi(Sql("SELECT COALESCE(MAX(n), 0) FROM orders"));
}

bool MariaDb::TablesAgree() const {
  return Sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
             "START TRANSACTION WITH CONSISTENT SNAPSHOT;"
             "SELECT (SELECT COUNT(*) FROM orders) = (SELECT COUNT(*) FROM payments)"
             " AND (SELECT COUNT(*) FROM orders) = (SELECT MAX(n) FROM orders)"
             " AND (SELECT MAX(n) FROM payments) = (SELECT MAX(n) FROM orders)") == "1\n";
}

bool MariaDb::Writes() const {
  int first = -1;
  return Eventually([&] {
    const CommandResult result = kubectl_({"exec", ref(), "-c", "mariadb", "--", "mariadb", "-N",
                                           "-B", "-D", "shop", "-e", "SELECT MAX(n) FROM orders"});
    if (result.exit_code != 0 || result.out.starts_with("NULL")) return false;
    const int rows = std::stoi(result.out);
    if (first < 0) first = rows;
    return rows > first;
  });
}

}  // namespace stillpoint::e2e
