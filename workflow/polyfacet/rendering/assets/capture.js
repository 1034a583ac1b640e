/* Takes pictures of the viewer, one at a time: polyfacet.capture(viewerId, token, scene) promises
   {picture, width, height}, the picture as a PNG data URL, or fails with the reason. */
window.polyfacet = (() => {
  let pending = null; // {token, resolve, reject} of the picture that is being taken
  let fault = null; // why this page can take no more pictures
  let drawing = false;

  /* The viewer redraws when the scene or the camera changes and again after each picture. On a software
     renderer drawing is most of the work, so only the drawing that a picture is taken of is let through. */
  for (const method of ["drawArrays", "drawElements"]) {
    const draw = WebGL2RenderingContext.prototype[method];
    WebGL2RenderingContext.prototype[method] = function (...parameters) {
      if (drawing) draw.apply(this, parameters);
    };
  }

  function fail(reason) {
    fault = fault ?? reason;
    settle("reject", new Error(fault));
  }

  function settle(outcome, value) {
    drawing = false;
    const settled = pending;
    pending = null;
    settled?.[outcome](value);
  }

  window.addEventListener("error", (event) => fail(`page error: ${event.message}`));
  window.addEventListener("unhandledrejection", (event) => fail(`page error: ${event.reason}`));
  document.addEventListener("webglcontextlost", () => fail("WebGL context lost"), true);

  /* The token is a label in the scene. Labels are drawn in the scene's place but as text beside the canvas:
     the picture does not show it, and its text is there only if this very scene has been drawn. */
  function takeLabel(token) {
    const labels = [...document.querySelectorAll(".tooltip")].filter((label) => label.textContent === token);
    labels.forEach((label) => label.remove());
    return labels.length > 0;
  }

  function deliver(picture, request) {
    if (pending === null || request?.token !== pending.token) return window.dash_clientside.no_update;
    if (!takeLabel(pending.token)) {
      fail("the viewer did not draw the scene it was given");
    } else {
      const { width, height } = document.querySelector("canvas");
      settle("resolve", { picture, width, height });
    }
    return window.dash_clientside.no_update;
  }

  async function capture(viewerId, token, scene) {
    if (fault !== null) throw new Error(fault);
    const data = JSON.parse(scene);
    data.contents.push({ name: "identity", contents: [{ type: "labels", label: token }] });
    const taken = new Promise((resolve, reject) => (pending = { token, resolve, reject }));
    window.dash_clientside.set_props(viewerId, { data });
    // Lets the viewer take in the scene first; were it late, it would only draw once more than needed.
    await new Promise((resume) => setTimeout(resume));
    drawing = true;
    window.dash_clientside.set_props(viewerId, { imageRequest: { filetype: "png", token } });
    return taken;
  }

  return { capture, deliver };
})();
