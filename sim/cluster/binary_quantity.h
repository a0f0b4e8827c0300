// A number of bytes as controllers write it into the status of objects.
#pragma once

#include <cstdint>
#include <string>

namespace stillpoint::sim {

// With the largest power of 1024 that divides it: 1Gi, 1536Mi, 1000.
// Source of truth: k8s.io/apimachinery/pkg/api/resource, NewQuantity(bytes, BinarySI).
[[nodiscard]] std::string BinaryQuantity(std::int64_t bytes);

}  // namespace stillpoint::sim
