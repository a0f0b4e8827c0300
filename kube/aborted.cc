#include "kube/aborted.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace stillpoint::kube {

bool IsAborted(const std::exception_ptr& exception) {
  try {
    if (exception) std::rethrow_exception(exception);
  } catch (const boost::system::system_error& e) {
    return e.code() == boost::asio::error::operation_aborted;
  } catch (...) {
  }
  return false;
}

}  // namespace stillpoint::kube
