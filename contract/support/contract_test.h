// ContractTest: a test with a namespace of its own.
#pragma once

#include "contract/support/objects.h"
#include "contract/support/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stillpoint::contract {

class ContractTest : public testing::Test, protected Session {
 protected:
  ContractTest() : Session("test") {}
};

// What a call came to: "ok" or the word of its error.
[[nodiscard]] inline std::string CodeOf(const api::Result<Json>& result) {
  return result ? "ok" : api::ToString(result.error().code);
}

}  // namespace stillpoint::contract
