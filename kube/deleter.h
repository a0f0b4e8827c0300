// Owners of what a C library has made.
#pragma once

namespace stillpoint::kube {

// For std::unique_ptr: frees by the library's own function.
template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

}  // namespace stillpoint::kube
