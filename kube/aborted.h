// How a cancelled coroutine ends.
#pragma once

#include <exception>

namespace stillpoint::kube {

// Whether it is the operation_aborted of a cancellation. Null: no.
[[nodiscard]] bool IsAborted(const std::exception_ptr& exception);

}  // namespace stillpoint::kube
