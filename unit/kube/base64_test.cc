#include "kube/base64.h"

#include <gtest/gtest.h>

namespace stillpoint::kube {
namespace {

TEST(Base64Test, WritesAndReadsTheVectorsOfTheRfc) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(EncodeBase64(bytes), text);
    EXPECT_EQ(DecodeBase64(text), bytes);
  }
}

TEST(Base64Test, KeepsEveryOctet) {
  std::string bytes;
  for (int octet = 0; octet < 256; ++octet) bytes += static_cast<char>(octet);
  EXPECT_EQ(DecodeBase64(EncodeBase64(bytes)), bytes);
}

TEST(Base64Test, SkipsWhiteSpace) {
  EXPECT_EQ(DecodeBase64("Zm9v\n  YmFy\r\n"), "foobar");
}

TEST(Base64Test, RefusesWhatIsNotBase64) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Z=g=", "Zm9v!", "Zm9v=", "===="}) {
    EXPECT_FALSE(DecodeBase64(text)) << text;
  }
}

}  // namespace
}  // namespace stillpoint::kube
