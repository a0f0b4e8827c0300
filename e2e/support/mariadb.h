// MariaDb: a real database with a writer, as a Deployment of one pod and one claim.
//
// A second container of the pod keeps one session open, in which a procedure inserts the same
// number into two tables in one transaction, every 20 ms: the tables must agree at any instant.
#pragma once

#include "e2e/support/kubectl.h"

#include <map>
#include <string>

namespace stillpoint::e2e {

class MariaDb {
 public:
  struct Options {
    std::string name = "mysql";
    std::map<std::string, std::string> annotations;  // of the pod template
    std::string kind = "Deployment";                 // or StatefulSet
  };

  // Applies it and waits until the writer has written.
  MariaDb(Kubectl kubectl, Options options);

  // One statement as root; columns by tabs, rows by newlines, without a heading.
  [[nodiscard]] std::string Sql(const std::string& statement) const;

  // The highest number in the first table.
  [[nodiscard]] int Rows() const;

  // Whether both tables hold the same numbers, without a gap.
  [[nodiscard]] bool TablesAgree() const;

  // Waits until more rows come.
  [[nodiscard]] bool Writes() const;

  [[nodiscard]] std::string ref() const;    // deployment/mysql
  [[nodiscard]] std::string claim() const;  // its only claim

 private:
  [[nodiscard]] std::string Manifest() const;

  const Kubectl kubectl_;
  const Options options_;
};

}  // namespace stillpoint::e2e
