// TlsClientContext: the TLS settings of one API server: whom to trust, which name to expect, who we
// are. TLS 1.2 or later. The HTTP client and exec have one each, made of the same Config, so that
// they trust the same servers.
//
// libwebsockets can load certificates too, but it takes only the first one of a bundle or chain,
// cuts server names at a colon (IPv6), and keeps a context per certificate for good.
#pragma once

#include "api/error.h"
#include "kube/config.h"

#include <memory>
#include <string>

struct ssl_st;             // OpenSSL's SSL
struct ssl_ctx_st;         // SSL_CTX
struct x509_store_ctx_st;  // and X509_STORE_CTX

namespace stillpoint::kube {

// A client certificate with its chain and key. Immutable: may be shared by threads.
class TlsIdentity {
 public:
  // Null when the credential has no certificate.
  // Errors: kInvalid (not PEM, or the key is another certificate's).
  [[nodiscard]] static api::Result<std::shared_ptr<const TlsIdentity>> Parse(
      const Credential& credential);

  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  struct Parts;  // for the .cc only
  [[nodiscard]] const Parts& parts() const { return *parts_; }

 private:
  explicit TlsIdentity(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

// Whether both show the same certificate, or both show none.
[[nodiscard]] bool SameCertificate(const Credential& a, const Credential& b);

// Threads: everything after construction on the thread that runs the handshakes.
// Lifetime: must outlive the sessions made from native().
class TlsClientContext {
 public:
  // Errors: kInvalid (the CA bundle is not PEM).
  [[nodiscard]] static api::Result<std::unique_ptr<TlsClientContext>> Make(const Config& config);

  ~TlsClientContext();
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;

  // Who we are in handshakes from now on; null: nobody.
  void SetIdentity(std::shared_ptr<const TlsIdentity> identity);

  // A session for a library that leaves the verdict on the server's certificate to OpenSSL. The
  // caller frees it. Null: no memory.
  [[nodiscard]] ssl_st* NewSession() const;

  // For a library that makes the sessions itself. Owned by this object.
  [[nodiscard]] ssl_ctx_st* native() const;

  // For the verify callback that libwebsockets puts in front of OpenSSL's own verdict: the reason
  // why the certificate is refused, empty when it is not. With insecure_skip_tls_verify it clears
  // the error.
  [[nodiscard]] std::string Judge(x509_store_ctx_st* store) const;

  class Impl;  // for the .cc only

 private:
  explicit TlsClientContext(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace stillpoint::kube
