// Quantity: a Kubernetes resource.Quantity, for the sizes of volumes.
// Source of truth: k8s.io/apimachinery/pkg/api/resource/quantity.go.
#pragma once

#include "api/error.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace stillpoint::api {

// Holds its text as somebody wrote it (`1.5Gi` is shown as `1.5Gi`) and what it amounts to. Two
// quantities are equal when they amount to the same: 1Gi == 1024Mi.
class Quantity {
 public:
  // Absent: no text, 0.
  Quantity() = default;

  // `text` is digits with an optional fraction, then nothing, a power of 1024 (Ki to Ei), a power
  // of 1000 (n, u, m, k to E) or an exponent (e9, E9). A part of a byte counts as one, as in
  // Quantity.Value(). Errors: kInvalid for anything else, a negative one, or more than 2^63 - 1.
  [[nodiscard]] static Result<Quantity> Parse(std::string_view text);

  // A plain number of bytes, as VolumeSnapshotContent gives it.
  [[nodiscard]] static Quantity FromBytes(std::int64_t bytes);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

  auto operator<=>(const Quantity& other) const { return bytes_ <=> other.bytes_; }
  bool operator==(const Quantity& other) const { return bytes_ == other.bytes_; }

 private:
  Quantity(std::string text, std::int64_t bytes) : text_(std::move(text)), bytes_(bytes) {}

  std::string text_;
  std::int64_t bytes_ = 0;
};

// The larger one; of two equal ones the first.
[[nodiscard]] const Quantity& Max(const Quantity& a, const Quantity& b);

}  // namespace stillpoint::api
