// Shows the API's schema with swagger-ui; where a person is logged in, their session is used to try.
(() => {
  const place = document.getElementById("api-docs");
  const cookie = document.cookie.split("; ").find((one) => one.startsWith("csrftoken="));
  window.SwaggerUIBundle({
    url: place.dataset.schema,
    domNode: place,
    deepLinking: true,
    requestInterceptor: (request) => {
      if (cookie && new URL(request.url, location.href).origin === location.origin) {
        request.headers["X-CSRFToken"] = cookie.split("=")[1];
      }
      return request;
    },
  });
})();
