/* Takes pictures of the viewer, one after another: polyfacet.captureAll(viewerId, [[token, scene], ...]) promises
   one object a scene, {token, picture, width, height, drawn, expected}: the picture as a PNG data URL, the atoms and
   bonds that were drawn and those of the scene; or {token, reason} for the first that fails, and no more. */
window.polyfacet = (() => {
  let pending = null; // {token, resolve, reject} of the picture that is being taken
  let fault = null; // why this page can take no more pictures
  let latest = null; // {token, answers} of the pictures that were last asked for
  let drawing = false;
  let drawn = 0; // spheres and cylinders since the canvas was last cleared

  /* The viewer redraws when the scene or the camera changes and again after each picture. On a software
     renderer drawing is most of the work, so only the drawing that a picture is taken of is let through. */
  const { drawArrays, drawElements, clear } = WebGL2RenderingContext.prototype;
  const { toDataURL } = HTMLCanvasElement.prototype;
  WebGL2RenderingContext.prototype.drawArrays = function (...parameters) {
    if (drawing) drawArrays.apply(this, parameters);
  };
  WebGL2RenderingContext.prototype.drawElements = function (...parameters) {
    if (!drawing) return;
    drawElements.apply(this, parameters);
    drawn += 1; // only spheres and cylinders have indexed vertices
  };
  WebGL2RenderingContext.prototype.clear = function (mask) {
    if (mask & this.COLOR_BUFFER_BIT) drawn = 0;
    clear.call(this, mask);
  };
  HTMLCanvasElement.prototype.toDataURL = function (...parameters) {
    drawing = false;
    return toDataURL.apply(this, parameters);
  };

  // The viewer tells much of each scene, and the driver would fetch every word of it from the page.
  for (const level of ["log", "warn", "error"]) console[level] = () => {};

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
      settle("resolve", { picture, width, height, drawn });
    }
    return window.dash_clientside.no_update;
  }

  /* Spheres and cylinders of a scene; the axes are no part of it: they are drawn in a corner, or not at all. */
  function countOf(scene) {
    if (scene.name === "axes") return 0;
    if (scene.type === "spheres") return scene.positions.length;
    if (scene.type === "cylinders") return scene.positionPairs.length;
    return (scene.contents ?? []).reduce((count, part) => count + countOf(part), 0);
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
    return { ...(await taken), expected: countOf(data) };
  }

  // Whoever gave up waiting may ask again for the same pictures.
  function captureAll(viewerId, scenes) {
    const [[token]] = scenes;
    if (latest?.token !== token) latest = { token, answers: takeAll(viewerId, scenes) };
    return latest.answers;
  }

  async function takeAll(viewerId, scenes) {
    const answers = [];
    for (const [token, scene] of scenes) {
      try {
        answers.push({ token, ...(await capture(viewerId, token, scene)) });
      } catch (error) {
        answers.push({ token, reason: error.message });
        break;
      }
    }
    return answers;
  }

  return { captureAll, deliver };
})();
