// What the kernel knows about this process.
//
// Contract: proc(5), and the process_* metrics of Prometheus' client libraries.
#pragma once

namespace stillpoint::kube {

// As doubles, as metrics are. 0 for what cannot be read.
struct ProcessStats {
  double resident_bytes = 0;
  double virtual_bytes = 0;
  double open_fds = 0;
  double max_fds = 0;
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // since 1970
};

[[nodiscard]] ProcessStats ReadProcessStats();

}  // namespace stillpoint::kube
